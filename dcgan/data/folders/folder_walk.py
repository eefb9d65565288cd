"""What lies below a folder, the same for training and for every way of scoring.

Links to folders are followed, but no folder is listed twice, so that loops of links end. Nothing is
left out in silence: a folder that cannot be listed is an entry with an error.
"""

import errno
import os
import pathlib
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple

MISSING = "no such file"
"""Why a path leads to no file, if there is nothing at all."""


class Entry(NamedTuple):
    """A file or a folder below the folder that is walked.

    Attributes:
        relative: The path from the walked folder on, with slashes; empty for the folder itself.
        is_folder: Whether it is a folder or a link to one.
        error: Why what it holds is not known; None if it is.
    """

    # A string, for folders of millions of files.
    relative: str
    is_folder: bool = False
    error: str | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.relative.rpartition("/")[2]


def walk(
    root: pathlib.Path,
    *,
    hidden: bool = False,
    enter: Callable[[str], bool] = lambda _: True,
) -> Iterator[Entry]:
    """Yields all that lies below a folder, each folder before its content, sorted by name.

    Args:
        root: The folder; it is an entry itself only if it cannot be listed.
        hidden: Whether to yield what has a name that starts with a dot. Defaults to False.
        enter: Says of a relative path whether to list that folder. Defaults to all.

    Yields:
        Entries.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [Entry("", is_folder=True)]
    while waiting:
        entry = waiting.pop()
        content: list[Entry] = []
        if entry.is_folder and (not entry.relative or enter(entry.relative)):
            try:
                content = _list(root, entry.relative, seen, hidden=hidden)
            except OSError as error:
                entry = entry._replace(error=_unlisted(error))
        if entry.relative or entry.error:
            yield entry
        waiting += reversed(content)


def list_names(folder: pathlib.Path) -> list[str]:
    """Returns the names of what lies in a folder, sorted.

    Args:
        folder: The folder.
    """
    # A path object for each of 200,000 files, sorted, takes seconds.
    return sorted(os.listdir(folder))  # noqa: PTH208


def is_folder(path: pathlib.Path) -> bool:
    """Whether a path leads to a folder; False as well where that cannot be known."""
    try:
        return path.is_dir()
    except OSError:
        return False


def why_no_file(path: pathlib.Path) -> str | None:
    """Returns why a path does not lead to a file, or None if it does."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return MISSING
    except (OSError, ValueError) as error:  # A null character is a ValueError.
        return getattr(error, "strerror", None) or MISSING
    if stat.S_ISDIR(mode):
        return _why_no_folder(path) or "a folder, not a file"
    if not stat.S_ISREG(mode):
        return "not a file"
    return None if os.access(path, os.R_OK) else os.strerror(errno.EACCES)


def _why_no_folder(path: pathlib.Path) -> str | None:
    try:
        os.scandir(path).close()
    except OSError as error:
        return _unlisted(error)
    return None


def _unlisted(error: OSError) -> str:
    return f"folder cannot be listed: {error.strerror}"


def _list(root: pathlib.Path, relative: str, seen: set[tuple[int, int]], *, hidden: bool) -> list[Entry]:
    """Returns what a folder holds; nothing if it is one of those seen, to which it is added."""
    folder = root / relative
    status = folder.stat()
    identity = (status.st_dev, status.st_ino)
    if identity in seen:
        return []
    seen.add(identity)
    with os.scandir(folder) as listing:
        found = sorted(listing, key=lambda entry: entry.name)
    prefix = f"{relative}/" if relative else ""
    return [_entry(prefix, entry) for entry in found if hidden or not entry.name.startswith(".")]


def _entry(prefix: str, found: os.DirEntry[str]) -> Entry:
    relative = prefix + found.name
    try:
        if found.is_symlink():
            found.stat()
        return Entry(relative, is_folder=found.is_dir())
    except FileNotFoundError:
        return Entry(relative, error="broken link")
    except OSError as error:
        # A loop of nothing but links holds nothing that could be missed.
        return Entry(relative, error=None if error.errno == errno.ELOOP else error.strerror)
