"""Files that appear whole or not at all."""

import contextlib
import errno
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from dcgan.errors import InputError


@contextlib.contextmanager
def write_atomically(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Yields a temporary path beside `path` that replaces it when the block ends without an error.

    The content reaches the disk before the rename, so that a crash leaves either the old file or
    the new one. Missing parent directories are made. The temporary name starts with a dot and
    keeps the suffix, for writers that choose their format by it.

    Args:
        path: The file to write.

    Yields:
        The temporary path, to be written by the caller.

    Raises:
        InputError: If there is a device or a pipe, which a file would replace.
        OSError: If it cannot be written; its `filename` is `path`, also where the disk is full.

    Example:
        >>> with write_atomically("report.json") as temporary:
        ...     temporary.write_text("{}")
    """
    path = pathlib.Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"{path}: expected a place for a file. Received: a device or a pipe")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
    except OSError as error:
        # A write to a full disk names no file. Without a number, the name would hide the message.
        if error.errno is not None and error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    sync(path.parent)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes `text` as UTF-8, whole or not at all."""
    with write_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: pathlib.Path, description: str) -> dict[str, Any]:
    """Reads a JSON object.

    Args:
        path: The file.
        description: What it should hold, for errors.

    Raises:
        InputError: If the file is missing, damaged or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected {description} ({error})") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected {description}")
    return value


def try_lock(descriptor: int) -> bool:
    """Locks an open file or directory until it is closed, or its process ends in whichever way.

    Args:
        descriptor: The file descriptor.

    Returns:
        Whether it is locked now; False if another process holds the lock.
    """
    # Windows has no such module; there, `environment.check` explains instead of an import that fails.
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_full(error: OSError) -> bool:
    """Whether an error says that the disk, or the user's share of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def absolute(data: str) -> str:
    """Makes an existing path independent of the working directory; names of data sets stay.

    Args:
        data: A path or a name, as in `RunConfig.data`.
    """
    path = pathlib.Path(data).expanduser()
    return str(path.resolve()) if path.exists() and data != "mnist" else data


def sync(path: pathlib.Path) -> None:
    """Waits until a file's content, or a directory's entries, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
