"""One cache: a directory with the images of a source as the rows of a file.

`images.npy` holds the rows. `journal.jsonl` has a line for each chunk of rows whose pixels are on the
disk, so that a cache whose making was killed goes on where its journal ends. `cache.json` says what
the cache was made from.
"""

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import shutil
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from dcgan.data import remarks
from dcgan.data.cache.origin import Origin
from dcgan.data.cache.storage import Storage, describe_size
from dcgan.data.decoding import image_file
from dcgan.data.indexed_images import IndexedImages
from dcgan.data.row_file import RowFile
from dcgan.errors import InputError
from dcgan.system import files, progress

PART = "caching images"
"""What progress calls the making of a cache."""

_SYNC_SECONDS = 1.0
_SYNC_SHARE = 0.05
_WAIT = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive rows that were written.

    Attributes:
        stop: The row after the last of them.
        hashes: See `indexed_images.hash_images`.
        bad: Why rows that could not be read are black, by row.
        labels: The images' labels; None if the source has none of its own.
        largest: The largest (height, width, channels) before they were prepared; None if unknown.
        qualities: The images' JPEG qualities, see `ImageSet`, uint8; None if unknown.
    """

    stop: int
    hashes: np.ndarray
    bad: dict[int, str] = dataclasses.field(default_factory=dict)
    labels: list[int] | None = None
    largest: tuple[int, int, int] | None = None
    qualities: np.ndarray | None = None

    def to_json(self) -> str:
        """Returns a line of the journal."""
        qualities = None if self.qualities is None else self.qualities.tobytes().hex()
        values = {"hashes": self.hashes.tobytes().hex(), "qualities": qualities}
        return json.dumps(dataclasses.asdict(self) | values)

    @classmethod
    def from_json(cls, line: str) -> "Chunk":
        """Reads a line of the journal."""
        values = json.loads(line)
        values["hashes"] = np.frombuffer(bytes.fromhex(values["hashes"]), np.dtype("<u8"))
        if values["qualities"] is not None:
            values["qualities"] = np.frombuffer(bytes.fromhex(values["qualities"]), np.uint8)
        values["bad"] = {int(row): reason for row, reason in values["bad"].items()}
        values["largest"] = tuple(values["largest"]) if values["largest"] else None
        return cls(**values)


@dataclasses.dataclass(frozen=True)
class Target:
    """The file that rows are written to.

    Attributes:
        path: An `.npy` file of its full size.
        offset: Where its first row begins.
        shape: The shape of a row.
    """

    path: str
    offset: int
    shape: tuple[int, int, int]


Fill = Callable[[Target, int], Iterator[Chunk]]
"""Writes the rows from a number on into the target; yields what is written, in order."""


@dataclasses.dataclass(frozen=True, eq=False)
class Cached:
    """All images of a source.

    Attributes:
        images: The images, by their index in the source.
        bad: Why some could not be read, by index.
        labels: Their labels; None if the source has none of its own.
        largest: The largest (height, width, channels) before they were prepared; None if unknown.
        qualities: Their JPEG qualities, see `ImageSet`; None if unknown.
    """

    images: IndexedImages
    bad: dict[int, str]
    labels: np.ndarray | None
    largest: tuple[int, int, int] | None
    qualities: np.ndarray | None


def load(origin: Origin, fill: Fill, *, wanted: int, storage: Storage) -> Cached | None:
    """Returns a source's images from its cache, which is made if they do not fit into memory.

    Args:
        origin: The source.
        fill: Prepares its images.
        wanted: How many of them are wanted.
        storage: The memory allowed, and where caches lie.

    Returns:
        The images; None if they are to be in memory, as there is no cache and they fit.

    Raises:
        InputError: If there is no room for the cache.
    """
    cache = _Cache(storage.directory() / origin.folder, origin)
    if cached := cache.read():
        return cached
    if storage.holds(wanted, origin.shape):
        return None
    with cache.lock():
        if not (cached := cache.read()):
            cache.make(fill)
            cached = cache.read()
    return cached


class _Cache:
    def __init__(self, path: pathlib.Path, origin: Origin) -> None:
        self.path, self._origin = path, origin
        self._images, self._journal = path / "images.npy", path / "journal.jsonl"
        self._made_from = path / "cache.json"

    def read(self) -> Cached | None:
        """Opens the file; None unless all images of the source, as it is now, are there."""
        chunks = self._chunks()
        if not chunks or chunks[-1].stop != self._origin.count:
            return None
        labels = [label for chunk in chunks for label in chunk.labels or ()]
        sizes = [chunk.largest for chunk in chunks if chunk.largest]
        qualities = [chunk.qualities for chunk in chunks if chunk.qualities is not None]
        count = self._origin.count
        images = IndexedImages(
            RowFile(self._images, (count, *self._origin.shape), offset=self._offset()),
            np.arange(count),
            hashes=np.concatenate([chunk.hashes for chunk in chunks]),
        )
        return Cached(
            images,
            {row: reason for chunk in chunks for row, reason in chunk.bad.items()},
            np.array(labels, np.int64) if labels else None,
            functools.reduce(image_file.larger, sizes) if sizes else None,
            np.concatenate(qualities) if qualities else None,
        )

    def make(self, fill: Fill) -> None:
        """Writes what is missing, and says before it starts what room that takes."""
        chunks = self._chunks()
        if not chunks:
            self._begin()
        # Without the line that was being written when the process was killed.
        files.write_text(self._journal, "".join(f"{chunk.to_json()}\n" for chunk in chunks))
        start = chunks[-1].stop if chunks else 0
        origin = self._origin
        resumed = f", of which {start:,} are there" if start else ""
        remarks.say(
            f"{origin.name}: {origin.count:,} images go through a cache of "
            f"{describe_size(origin.size)} in {self.path}{resumed}"
        )
        target = Target(str(self._images), self._offset(), origin.shape)
        try:
            self._write(fill(target, start), start)
        except OSError as error:
            if files.is_full(error):
                raise self._no_room("the disk is full") from error
            raise

    def _write(self, chunks: Iterator[Chunk], done: int) -> None:
        """Adds to the journal what has reached the disk, about once a second."""
        count, waiting, at, since = self._origin.count, list[Chunk](), time.monotonic(), done
        began = done
        with self._journal.open("a", encoding="utf-8") as journal, self._images.open("rb") as images:
            for chunk in chunks:
                waiting.append(chunk)
                done = chunk.stop
                is_due = time.monotonic() - at > _SYNC_SECONDS or done - since >= _SYNC_SHARE * count
                if is_due or done == count:
                    os.fsync(images.fileno())
                    journal.writelines(f"{each.to_json()}\n" for each in waiting)
                    journal.flush()
                    os.fsync(journal.fileno())
                    waiting, at, since = [], time.monotonic(), done
                progress.report(PART, done / count, begun=began / count)

    def _begin(self) -> None:
        """Starts anew: removes what is stale, and makes a file of the full size."""
        origin = self._origin
        self._say_if_stale()
        for path in (self._made_from, self._journal, self._images):
            path.unlink(missing_ok=True)
        free = shutil.disk_usage(self.path).free
        if free < origin.size:
            raise self._no_room(f"{describe_size(free)} are free")
        header = np.lib.format.header_data_from_array_1_0(np.empty((0, *origin.shape), np.uint8))
        with self._images.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header | {"shape": (origin.count, *origin.shape)})
            file.truncate(file.tell() + origin.size)
        made_from = {"digest": origin.digest, "name": origin.name, "files": origin.stamps}
        files.write_text(self._made_from, json.dumps(made_from))

    def _say_if_stale(self) -> None:
        with contextlib.suppress(InputError, KeyError):
            before = files.read_json(self._made_from, "what a cache was made from")
            if before["digest"] != self._origin.digest:
                change = self._origin.describe_change(before["files"])
                remarks.say(f"{self._origin.name}: its cache is made anew: {change}")

    def _chunks(self) -> list[Chunk]:
        """Reads the journal as far as it is whole; nothing if the cache is of other files."""
        if not self._images.is_file() or not self._journal.is_file():
            return []
        try:
            made_from = files.read_json(self._made_from, "what a cache was made from")
        except InputError:
            return []
        if made_from.get("digest") != self._origin.digest:
            return []
        chunks: list[Chunk] = []
        for line in self._journal.read_text(encoding="utf-8").splitlines():
            try:
                chunks.append(Chunk.from_json(line))
            except (ValueError, TypeError, KeyError):
                break  # The process was killed while it wrote the line.
        return chunks

    def _offset(self) -> int:
        with self._images.open("rb") as file:
            return _read_offset(file)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Makes the directory; waits while another process makes the same cache."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = (self.path / ".lock").open("w", encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"{self.path}: expected a directory to write the cache of {self._origin.name} to, which "
                f"--cache names ({error.strerror})"
            ) from None
        with handle:
            while not files.try_lock(handle.fileno()):
                remarks.say(f"{self._origin.name}: another process makes the cache, waiting for it")
                time.sleep(_WAIT)
            yield

    def _no_room(self, found: str) -> InputError:
        return InputError(
            f"{self._origin.name}: expected {describe_size(self._origin.size)} for its cache in "
            f"{self.path.parent}, but {found}; --cache names another directory, --memory allows more "
            "memory"
        )


def _read_offset(file: BinaryIO) -> int:
    """Returns where the rows of an open `.npy` file begin."""
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)
    return file.tell()
