"""Whether a SavedModel is whole: the digest of its files, and whether it loads."""

import hashlib
import os
import pathlib

import tensorflow as tf

from dcgan.errors import InputError

RECORD = "assets.extra/pushed.json"
"""Where a live version says what it is; a push adds it, so it is part of no digest."""


def list_files(directory: pathlib.Path) -> list[pathlib.Path]:
    """Returns the paths of all files in a directory, relative to it and sorted, without `RECORD`.

    Args:
        directory: A SavedModel's directory.

    Raises:
        InputError: If the directory is missing or cannot be read, or holds anything but plain files and
            directories, such as a symbolic link: what that leads to can change unnoticed.
    """
    found = []
    pending = [directory]
    try:
        while pending:
            for entry in os.scandir(pending.pop()):
                if entry.is_dir(follow_symlinks=False):
                    pending.append(pathlib.Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    found.append(pathlib.Path(entry.path).relative_to(directory))
                else:
                    raise InputError(f"{entry.path}: expected a plain file or a directory")
    except OSError as error:
        raise _unreadable(directory, error) from None
    return sorted(path for path in found if path.as_posix() != RECORD)


def digest(directory: pathlib.Path) -> str:
    """Identifies a SavedModel by every byte of every file, except `RECORD`.

    Args:
        directory: The SavedModel's directory.

    Returns:
        "sha256:" and 64 hexadecimal digits.

    Raises:
        InputError: As for `list_files`, or if a file cannot be read.
    """
    sha = hashlib.sha256()
    for path in list_files(directory):
        try:
            with (directory / path).open("rb") as file:
                content = hashlib.file_digest(file, "sha256")
        except OSError as error:
            raise _unreadable(directory / path, error) from None
        sha.update(content.digest() + os.fsencode(path.as_posix()) + b"\0")
    return f"sha256:{sha.hexdigest()}"


def check_loads(directory: pathlib.Path, *, name: pathlib.Path) -> None:
    """Loads a SavedModel with all of its weights, as a server does.

    Args:
        directory: The SavedModel's directory.
        name: What errors call it.

    Raises:
        InputError: If it cannot be loaded or has no signature.
    """
    # The servers that it goes to may well have no accelerator.
    config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    try:
        with tf.compat.v1.Session(graph=tf.Graph(), config=config) as session:
            loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(directory))
    except Exception as error:  # Whatever its graph does wrong, it does not load.
        reason = _reason(error).replace(str(directory), str(name))
        raise InputError(f"{name}: expected a SavedModel that loads ({reason})") from None
    if not any(not signature.startswith("__") for signature in loaded.signature_def):
        raise InputError(f"{name}: expected a SavedModel with a signature")


def _reason(error: Exception) -> str:
    """Returns the first line of an error that says something."""
    lines = [line.strip() for line in str(getattr(error, "message", error)).splitlines()]
    said = [line for line in lines if line and line != "Graph execution error:"]
    return said[0] if said else type(error).__name__


def _unreadable(path: pathlib.Path, error: OSError) -> InputError:
    return InputError(f"{path}: expected files that can be read ({error.strerror})")
