"""Versions of a model as a server finds them: complete directories, each named by a number.

A server loads `<base>/<model>/<integer>/` as soon as it exists. So a version is written under
another name, brought to the disk and renamed once; a pruned version loses its number first.
"""

import contextlib
import errno
import os
import pathlib
import re
import shutil
import uuid
from collections.abc import Callable, Iterator

from dcgan import files
from dcgan.errors import InputError

KEEP = 5
_INCOMING = "incoming-"
_PRUNED = "pruned-"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
# What `rename` raises for a name that is taken; the last, by a file.
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


def check_name(name: str) -> None:
    """Refuses a model's name that does not fit into a path and a server's address.

    Raises:
        InputError: If it does not fit.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"name: expected a letter, then letters, digits, '_', '-' and '.'. Received: {name!r}"
        )


def list_versions(model: pathlib.Path) -> list[int]:
    """Returns the numbers of a model's versions, oldest first.

    Args:
        model: The directory that holds them; it need not exist.
    """
    if not model.is_dir():
        return []
    return sorted(
        int(path.name)
        for path in model.iterdir()
        if path.name.isascii() and path.name.isdigit() and path.is_dir()
    )


def publish(model: pathlib.Path, write: Callable[[pathlib.Path], None], *, keep: int) -> pathlib.Path:
    """Adds a version to a model: complete, or not at all.

    Versions that other processes add meanwhile get other numbers; no number is used twice while a
    newer version exists.

    Args:
        model: The directory of the model's versions; it is made if it does not exist.
        write: Fills the empty directory that it is given.
        keep: How many of the newest versions stay, at least 1.

    Returns:
        The new version's directory.

    Raises:
        InputError: If the directory cannot be written to.
        ValueError: If `keep` is less than 1.
    """
    if keep < 1:
        raise ValueError(f"Expected keep to be at least 1. Received: keep={keep}")
    try:
        model.mkdir(parents=True, exist_ok=True)
        _sweep(model)
        with _incoming(model) as directory:
            write(directory)
            _sync_tree(directory)
            version = _number(directory, model)
        files.sync(model)
        _prune(model, keep=keep)
    except OSError as error:
        reason = " ".join((error.strerror or str(error)).split())
        raise InputError(f"{model}: expected a directory to write to ({reason})") from None
    return version


@contextlib.contextmanager
def _incoming(model: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a locked, empty directory and removes it unless the block has renamed it."""
    while True:
        directory = model / f"{_INCOMING}{uuid.uuid4().hex}"
        directory.mkdir()
        with _locked(directory) as is_mine:
            if not is_mine:  # Swept away by another process before it was locked.
                continue
            try:
                yield directory
            finally:
                shutil.rmtree(directory, ignore_errors=True)
            return


@contextlib.contextmanager
def _locked(directory: pathlib.Path) -> Iterator[bool]:
    """Locks a directory while the block runs; yields whether it exists and was not locked."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield False
        return
    try:
        yield files.try_lock(descriptor) and directory.exists()
    finally:
        os.close(descriptor)


def _sweep(model: pathlib.Path) -> None:
    """Removes what killed processes left behind; a running process holds a lock."""
    for path in model.glob(f"{_INCOMING}*"):
        with _locked(path) as is_left:
            if is_left:
                shutil.rmtree(path, ignore_errors=True)
    for path in model.glob(f"{_PRUNED}*"):
        shutil.rmtree(path, ignore_errors=True)


def _sync_tree(directory: pathlib.Path) -> None:
    for root, _, names in os.walk(directory):
        for name in names:
            files.sync(pathlib.Path(root) / name)
        files.sync(pathlib.Path(root))


def _number(directory: pathlib.Path, model: pathlib.Path) -> pathlib.Path:
    """Renames a directory to the next free number."""
    version = max(list_versions(model), default=0)
    while True:
        version += 1
        try:
            return directory.rename(model / str(version))
        except OSError as error:
            if error.errno not in _TAKEN:
                raise


def _prune(model: pathlib.Path, *, keep: int) -> None:
    for version in list_versions(model)[:-keep]:
        hidden = model / f"{_PRUNED}{version}-{uuid.uuid4().hex}"
        with contextlib.suppress(FileNotFoundError):  # Another process was faster.
            (model / str(version)).rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)
