"""The public names, as the API reference lists them."""

import importlib
import inspect
import re

import documents

REFERENCE = documents.ROOT / "docs" / "reference"
MODULES = re.findall(
    r"automodule:: (\S+)", "".join(path.read_text("utf-8") for path in sorted(REFERENCE.glob("*.md")))
)


def of_module(name):
    """Returns what a module makes public, by name."""
    module = importlib.import_module(name)
    own = [
        each
        for each, value in vars(module).items()
        if getattr(value, "__module__", "") == name and not each.startswith("_")
    ]
    return {each: getattr(module, each) for each in getattr(module, "__all__", own)}


def documented():
    """Returns all public functions and classes, each once, by the name of the module and their own."""
    found = {}
    for module in sorted(MODULES, key=len, reverse=True):
        for name, thing in of_module(module).items():
            if (inspect.isclass(thing) or inspect.isfunction(thing)) and thing not in found.values():
                found[f"{module}.{name}"] = thing
    return dict(sorted(found.items()))
