"""What a process finds around it: its system, and the settings of Keras and Matplotlib."""

import json
import logging
import os
import pathlib
import sys
from typing import Any

from dcgan.errors import InputError

_EXPECTED = {"backend": "tensorflow", "image_data_format": "channels_last", "floatx": "float32"}
_KERAS_HOME = os.environ.get("KERAS_HOME")


def isolate() -> None:
    """Makes this process independent of Keras's and Matplotlib's settings, and keeps them from writing.

    For this package's own programs, before they import Keras. A user's `keras.json` and `KERAS_BACKEND`
    are meant for other programs; and without this, Keras and Matplotlib write into the home directory.
    """
    # A place where nothing can be, so that nothing is read or written.
    os.environ["KERAS_HOME"] = os.devnull
    os.environ["KERAS_BACKEND"] = _EXPECTED["backend"]
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
    # Matplotlib then warns that it uses a temporary directory, which it removes at the end.
    os.environ.setdefault("MPLCONFIGDIR", os.devnull)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def check() -> None:
    """Checks that this package can work here.

    Raises:
        InputError: If it cannot: on Windows, or under settings of Keras that its models do not have.
    """
    if os.name != "posix":
        raise InputError(
            "operating system: expected Linux or macOS; on Windows, use the Windows Subsystem for Linux"
        )
    for name, value, source in _keras_settings():
        if value != _EXPECTED[name]:
            raise InputError(f"{source}: {name}: expected {_EXPECTED[name]}. Received: {value}")


def keras_home() -> pathlib.Path:
    """Returns the directory of Keras's downloads, whether or not `isolate` was called."""
    return pathlib.Path(_KERAS_HOME or "~/.keras").expanduser()


def _keras_settings() -> list[tuple[str, Any, str]]:
    """Returns Keras's settings, or those that it will read, as names, values and sources."""
    if keras := sys.modules.get("keras"):
        return [(name, getattr(keras.config, name)(), "Keras's settings") for name in _EXPECTED]
    file = pathlib.Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "keras.json"
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        read = {}
    settings = {name: (value, str(file)) for name, value in read.items() if name in _EXPECTED}
    if backend := os.environ.get("KERAS_BACKEND"):
        settings["backend"] = (backend, "KERAS_BACKEND")
    return [(name, value, source) for name, (value, source) in settings.items()]
