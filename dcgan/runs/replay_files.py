"""The files of `dcgan.callbacks.FakeReplay`."""

import pathlib
import re

_NAME = re.compile(r"epoch_(\d+)\.npz")


def list_all(directory: pathlib.Path) -> list[pathlib.Path]:
    """Lists the samples that were kept, oldest epoch first.

    Args:
        directory: Where a `FakeReplay` writes; it need not exist.
    """
    found = directory.glob("epoch_*.npz")
    return sorted((path for path in found if _NAME.fullmatch(path.name)), key=epoch_of)


def epoch_of(path: pathlib.Path) -> int:
    """Reads from a file's name after how many epochs its samples were drawn."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"Expected a name such as epoch_005.npz. Received: {path.name}")
    return int(match[1])
