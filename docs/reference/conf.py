"""How Sphinx makes the API reference of the docstrings, see `docs/build`."""

import inspect
import re
from typing import Any

from sphinx.util import inspect as sphinx_inspect

project = "dcgan"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
html_theme = "furo"
# Docstrings have one backtick round code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {
    "members": True,
    "show-inheritance": True,
    # What is inherited, up to these classes, which others document.
    "inherited-members": "Model,Layer,Callback,HyperModel,Exception,ValueError,Mapping,tuple,object",
}
# Else attributes would be described twice.
napoleon_use_ivar = True
napoleon_custom_sections = [("Reference", "References")]
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)]+)\)")


def _use_markdown_links(app: Any, what: str, name: str, thing: Any, options: Any, lines: Any) -> None:
    """Turns a docstring's links into reStructuredText's."""
    lines[:] = [_LINK.sub(r"`\1 <\2>`__", line) for line in lines]


def _find_signature(
    app: Any, what: str, name: str, thing: Any, options: Any, signature: str, returned: str
) -> tuple[str, str] | None:
    """Returns the constructor's own signature, where Keras's `__new__` hides it."""
    if what != "class" or signature != "(*args, **kwargs)":
        return None
    own = inspect.signature(thing.__init__)
    own = own.replace(parameters=list(own.parameters.values())[1:], return_annotation=own.empty)
    return sphinx_inspect.stringify_signature(own), returned


def _leave_out(app: Any, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Leaves out Keras's own methods, and those that wrap them and carry their docstrings."""
    return True if str(getattr(thing, "__module__", "")).startswith("keras.") else None


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _use_markdown_links)
    app.connect("autodoc-process-signature", _find_signature)
    app.connect("autodoc-skip-member", _leave_out)
