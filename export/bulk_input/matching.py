"""Patterns of files in Beam's syntax, in any file system that Beam knows.

On a disk Beam neither follows links to folders nor says which folders it cannot list, and it finds
nothing for `*.png` and `a[1].png`; there, folders are walked as everywhere in this package.
"""

import dataclasses
import pathlib
import re
from collections.abc import Callable, Iterator

from apache_beam.io.filesystem import FileSystem
from apache_beam.io.filesystems import FileSystems

from dcgan.data.decoding import image_formats
from dcgan.data.folders import folder_walk

RECORDS = ".tfrecord"
"""What the name of a TFRecord file holds."""

_FOLDER = "a folder, not a file"


@dataclasses.dataclass(frozen=True)
class Match:
    """A file, or a folder that may hold files that match.

    Attributes:
        path: Its path as the pattern spells it.
        error: Why it cannot be read; None if that is not known yet.
    """

    path: str
    error: str | None = None


def is_remote(path: str) -> bool:
    """Whether a path leads to another file system than the disk's."""
    return "://" in path


def match(pattern: str, *, limit: int | None = None) -> Iterator[Match]:
    """Finds files.

    Args:
        pattern: `*` stands for any part of a name, `**` for any part of a path, `?` for a character
            and `[ab]` for one of several. A file of exactly this name comes before all that.
        limit: How many are wanted, which may make it faster. Defaults to None, all.

    Yields:
        Files and, on a disk, folders that cannot be listed or are named as files.

    Raises:
        OSError: If another file system than the disk's cannot be asked.
        ValueError: If Beam does not know the file system.
    """
    if is_remote(pattern):
        if "[" in pattern and FileSystems.exists(pattern):
            yield Match(pattern)
            return
        (found,) = FileSystems.match([pattern], limits=[limit])
        yield from (Match(metadata.path) for metadata in found.metadata_list)
    elif (reason := folder_walk.why_no_file(pathlib.Path(pattern))) != folder_walk.MISSING:
        yield Match(pattern, reason)
    else:
        yield from _walk(pattern)


def _walk(pattern: str) -> Iterator[Match]:
    prefix = pattern[: re.split(r"[*?[]", pattern, maxsplit=1)[0].rfind("/") + 1]
    root = pathlib.Path(prefix)
    is_match = re.compile(FileSystem.translate_pattern(pattern.removeprefix(prefix))).match
    may_hold = _folders_of(pattern.removeprefix(prefix))

    if not folder_walk.is_folder(root):
        return
    for entry in folder_walk.walk(root, hidden=True, enter=may_hold):
        name = entry.relative
        if entry.error:
            if is_match(name) or may_hold(name):
                yield Match(prefix + name, entry.error)
        elif not entry.is_folder and is_match(name):
            yield Match(prefix + name)
        elif entry.is_folder and is_match(name) and _is_named_as_file(entry.name):
            yield Match(prefix + name, _FOLDER)


def _folders_of(pattern: str) -> Callable[[str], bool]:
    """Returns what says whether something in a folder, or below it, may match a pattern."""
    parts = pattern.split("/")
    # From here on, a pattern does not say how many folders there are.
    deep = next((index for index, part in enumerate(parts) if "**" in part), None)

    def may_hold(folder: str) -> bool:
        names = folder.split("/") if folder else []
        if deep is None and len(names) >= len(parts):
            return False
        known = len(names) if deep is None else min(len(names), deep)
        translated = FileSystem.translate_pattern("/".join(parts[:known]))
        return re.match(translated, "/".join(names[:known])) is not None

    return may_hold


def _is_named_as_file(name: str) -> bool:
    return pathlib.PurePath(name).suffix.lower() in image_formats.SUFFIXES or RECORDS in name
