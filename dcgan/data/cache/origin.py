"""What a cache was made from, by which a stale one is noticed."""

import dataclasses
import functools
import hashlib
import math
import os
import pathlib
import re
from collections.abc import Iterable

Stamp = tuple[str, int, int]
"""A file's name within its source, its bytes, and when it was changed, in nanoseconds."""

_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Origin:
    """A source of images and the shape that they are wanted in.

    Args:
        name: The source as given, for messages.
        identity: What tells the source from all others: its absolute path, or its name and version.
        stamps: Its files.
        count: How many images it has in all.
        shape: Their (height, width, channels).
    """

    name: str
    identity: str
    stamps: tuple[Stamp, ...]
    count: int
    shape: tuple[int, int, int]

    @property
    def size(self) -> int:
        """The bytes of all images."""
        return self.count * math.prod(self.shape)

    @property
    def folder(self) -> str:
        """The name of its cache, the same whatever the source's files are."""
        key = hashlib.sha256(repr((_FORMAT, self.identity, self.shape)).encode()).hexdigest()[:12]
        stem = re.sub(r"[^\w.-]+", "-", pathlib.PurePath(self.identity).name)[:40]
        return f"{stem}-{'x'.join(map(str, self.shape))}-{key}"

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of all stamps, in hexadecimal."""
        return hashlib.sha256(repr((self.count, self.stamps)).encode()).hexdigest()

    def describe_change(self, before: Iterable[Stamp]) -> str:
        """Says how many files were added, removed and changed since the earlier stamps."""
        old, new = ({stamp[0]: tuple(stamp[1:]) for stamp in each} for each in (before, self.stamps))
        counts = {
            "added": len(new.keys() - old.keys()),
            "removed": len(old.keys() - new.keys()),
            "changed": sum(old[name] != new[name] for name in old.keys() & new.keys()),
        }
        said = [f"{count:,} {kind}" for kind, count in counts.items() if count]
        return f"files {', '.join(said)}" if said else "their order changed"


def stamp(path: str | os.PathLike[str], name: str) -> Stamp:
    """Returns a file's stamp; zeros where it cannot be read.

    Args:
        path: The file.
        name: Its name within the source.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - Called for each of millions of files.
    except OSError:
        return name, 0, 0
    return name, status.st_size, status.st_mtime_ns
