import ast
import importlib
import inspect
import pathlib
import subprocess
import sys

import dcgan


def _typed_names():
    """Names and homes as type checkers see them: the imports under `TYPE_CHECKING`."""
    (block,) = [
        node
        for node in ast.parse(pathlib.Path(dcgan.__file__).read_text(encoding="utf-8")).body
        if isinstance(node, ast.If)
    ]
    return {alias.name: statement.module for statement in block.body for alias in statement.names}


def test_dir_shows_the_public_names():
    assert dir(dcgan) == sorted(dcgan.__all__)
    assert {"DCGAN", "train", "detector", "features", "scoring", "report"} <= {*dir(dcgan)}


def test_type_checkers_see_what_is_there():
    names = _typed_names()
    assert sorted(names) == sorted(dcgan.__all__)
    for name, home in names.items():
        found = getattr(dcgan, name)
        if home == "dcgan":
            assert inspect.ismodule(found)
        else:
            assert found is getattr(importlib.import_module(home), name)


def test_importing_the_package_loads_no_tensorflow():
    code = "import sys, dcgan; dir(dcgan); sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
