"""Versions of a model as a server finds them: complete directories, each named by a number.

A server loads `<base>/<model>/<integer>/` as soon as it exists. So a version is written under
another name, brought to the disk and renamed once; a pruned version loses its number first. One
process at a time publishes below a base. The highest number that was ever given is remembered
beside the model's directory, so that no number ever means two models.
"""

import contextlib
import errno
import os
import pathlib
import re
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator

from dcgan.errors import InputError
from dcgan.system import files

KEEP = 5
_INCOMING = "incoming-"
_PRUNED = "pruned-"
_LOCK = ".publishing.lock"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
# What `files.write_atomically` writes before it renames.
_UNFINISHED = re.compile(r"\..+\.\d+\.tmp\.[a-z]+")
# A server holds numbers in 64 bits and passes over larger ones.
_LARGEST = 2**63 - 1
# What `rename` raises for a name that is taken; the last, by a file.
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


def is_name(name: str) -> bool:
    """Whether a model's name fits into a path, a server's address and its configuration."""
    return bool(_NAME.fullmatch(name))


def check_name(name: str) -> None:
    """Refuses a model's name that does not fit into a path and a server's address.

    Raises:
        InputError: If it does not fit.
    """
    if not is_name(name):
        raise InputError(
            f"name: expected a letter, then letters, digits, '_', '-' and '.'. Received: {name!r}"
        )


def find(model: pathlib.Path) -> dict[int, pathlib.Path]:
    """Returns a model's versions, oldest first, by their numbers.

    A server reads a name such as `00000001` as a number, too.

    Args:
        model: The directory that holds them; it need not exist.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        names = [entry.name for entry in os.scandir(model) if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise InputError(f"{model}: expected a directory to read ({error.strerror})") from None
    numbered = [name for name in names if name.isascii() and name.isdigit() and int(name) <= _LARGEST]
    # Of two names for one number, the shorter one counts.
    ordered = sorted(numbered, key=lambda name: (int(name), -len(name)))
    return {int(name): model / name for name in ordered}


@contextlib.contextmanager
def locked(base: pathlib.Path) -> Iterator[None]:
    """Keeps other processes from publishing below a directory while the block runs.

    Args:
        base: The directory that holds models; it is made if it does not exist.

    Raises:
        InputError: If the directory cannot be written to.
    """
    # Not on Windows, where the package says so instead of failing as it is imported.
    import fcntl

    with _writing_to(base):
        base.mkdir(parents=True, exist_ok=True)
        # A file: some file systems lock no directories.
        descriptor = os.open(base / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with _writing_to(base):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def publish(model: pathlib.Path, write: Callable[[pathlib.Path], None], *, keep: int) -> pathlib.Path:
    """Adds a version to a model: complete, or not at all; see `add` for arguments and errors."""
    with locked(model.parent):
        return add(model, write, keep=keep)


def add(
    model: pathlib.Path,
    write: Callable[[pathlib.Path], None],
    *,
    keep: int,
    protected: Collection[int] = (),
) -> pathlib.Path:
    """Does what `publish` does, in a block in which the base is `locked`.

    Args:
        model: The directory of the model's versions; it is made if it does not exist.
        write: Fills the empty directory that it is given.
        keep: How many of the newest versions stay, at least 1.
        protected: Numbers of versions that stay, however old. Defaults to none.

    Returns:
        The new version's directory.

    Raises:
        InputError: If the directory cannot be written to.
        ValueError: If `keep` is less than 1.
    """
    if keep < 1:
        raise ValueError(f"Expected keep to be at least 1. Received: keep={keep}")
    with _writing_to(model):
        model.mkdir(exist_ok=True)
        _sweep(model)
        with _incoming(model) as directory:
            write(directory)
            _sync_tree(directory)
            version = _number(directory, model)
        files.sync(model)
        _prune(model, keep=keep, protected=protected)
    return version


def withdraw(version: pathlib.Path) -> None:
    """Takes a version away again; its number stays used.

    Args:
        version: What `publish` returned.
    """
    hidden = version.with_name(f"{_PRUNED}{version.name}-{uuid.uuid4().hex}")
    with contextlib.suppress(FileNotFoundError):  # Someone's hand was faster.
        version.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)


@contextlib.contextmanager
def _writing_to(directory: pathlib.Path) -> Iterator[None]:
    """Turns what can go wrong on a disk into one line."""
    try:
        yield
    except OSError as error:
        reason = " ".join((error.strerror or str(error)).split())
        raise InputError(f"{directory}: expected a directory to write to ({reason})") from None


@contextlib.contextmanager
def _incoming(model: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields an empty directory and removes it unless the block has renamed it."""
    directory = model / f"{_INCOMING}{uuid.uuid4().hex}"
    directory.mkdir()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _sweep(model: pathlib.Path) -> None:
    """Removes what killed processes left behind."""
    for beginning in (_INCOMING, _PRUNED):
        for path in model.glob(f"{beginning}*"):
            shutil.rmtree(path, ignore_errors=True)
    for path in model.parent.glob(".*.tmp.*"):
        if _UNFINISHED.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _sync_tree(directory: pathlib.Path) -> None:
    for root, _, names in os.walk(directory):
        for name in names:
            files.sync(pathlib.Path(root) / name)
        files.sync(pathlib.Path(root))


def _number(directory: pathlib.Path, model: pathlib.Path) -> pathlib.Path:
    """Renames a directory to the next number, which is remembered before it is used."""
    memory = model.with_name(f".{model.name}.highest")
    version = max([*find(model), _recall(memory)])
    while True:
        version += 1
        if version > _LARGEST:
            raise InputError(f"{model}: expected numbers below {_LARGEST}, the largest for a server")
        files.write_text(memory, f"{version}\n")
        try:
            return directory.rename(model / str(version))
        except OSError as error:
            if error.errno not in _TAKEN:
                raise


def _recall(memory: pathlib.Path) -> int:
    """Returns the highest number that was ever given to a model; 0 if none was."""
    try:
        text = memory.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise InputError(f"{memory}: expected the highest version number that was ever used")
    return int(text)


def _prune(model: pathlib.Path, *, keep: int, protected: Collection[int]) -> None:
    found = find(model)
    for version in list(found)[:-keep]:
        if version not in protected:
            withdraw(found[version])
