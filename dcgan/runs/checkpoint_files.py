"""The files of `dcgan.callbacks.RunCheckpoint`: which there are, and which are whole."""

import json
import logging
import os
import pathlib
import re
import zipfile
from collections.abc import Iterator

_NAME = re.compile(r"epoch_(\d+)\.keras")
_WEIGHTS = "model.weights.h5"


def list_all(directory: str | os.PathLike[str]) -> list[pathlib.Path]:
    """Lists the checkpoints in a directory, oldest epoch first.

    Args:
        directory: Where a `RunCheckpoint` writes; it need not exist.
    """
    found = pathlib.Path(directory).glob("epoch_*.keras")
    return sorted((path for path in found if _NAME.fullmatch(path.name)), key=epoch_of)


def iterate_usable(directory: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Yields the checkpoints that are whole, newest epoch first; warns of each damaged one on the way.

    Args:
        directory: Where a `RunCheckpoint` writes; it need not exist.
    """
    for path in reversed(list_all(directory)):
        if (problem := find_damage(path)) is None:
            yield path
        else:
            logging.getLogger("dcgan").warning("%s is damaged (%s), left out.", path, problem)


def epoch_of(path: pathlib.Path) -> int:
    """Reads from a checkpoint's name how many epochs it has behind it."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"Expected a name such as epoch_005.keras. Received: {path.name}")
    return int(match[1])


def state_path(path: pathlib.Path) -> pathlib.Path:
    """Returns where a checkpoint keeps the states of other callbacks."""
    return path.with_suffix(".json")


def find_damage(path: pathlib.Path) -> str | None:
    """Reads a checkpoint against its checksums, and its states; returns what is wrong with it."""
    try:
        json.loads(state_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return str(error)
    return find_archive_damage(path)


def find_archive_damage(path: str | os.PathLike[str]) -> str | None:
    """Reads a `.keras` file against its checksums; returns what is wrong with it."""
    try:
        with zipfile.ZipFile(path) as archive:
            if (member := archive.testzip()) is not None:
                return f"wrong checksum of {member}"
            if _WEIGHTS not in archive.namelist():
                return f"no {_WEIGHTS} in it"
    except Exception as error:
        # What zipfile raises for damaged headers, EOFError and zlib.error among it, has no base.
        return str(error) or type(error).__name__
    return None
