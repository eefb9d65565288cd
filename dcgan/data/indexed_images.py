"""Some images of an array or a file, by index: like an array, but copied only batch by batch."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from dcgan.data.row_file import RowFile

_BATCH = 1024
_PART_BYTES = 2**27


class IndexedImages:
    """Images of an array or a file that holds more, in an order of their own.

    Indexing works on the first axis alone, by a number, a slice, numbers or a mask, and returns an
    array. Everything else that arrays can do takes `np.asarray(images)`, which holds all of them.

    Args:
        source: All images, shape (count, height, width, channels), uint8, in memory or in a file.
        rows: Which of them, shape (any,), int64.
        hashes: What `hash_images` returns for all of `source`. Defaults to None: computed when needed.

    Example:
        >>> chosen = dcgan.data.IndexedImages(images, np.array([7, 3, 5]))
        >>> chosen.shape
        (3, 28, 28, 1)
        >>> np.array_equal(chosen[0], images[7])
        True
    """

    def __init__(
        self, source: np.ndarray | RowFile, rows: np.ndarray, *, hashes: np.ndarray | None = None
    ) -> None:
        self._source, self._rows, self._hashes = source, rows, hashes

    @property
    def shape(self) -> tuple[Any, ...]:
        """The (count, height, width, channels)."""
        return len(self._rows), *self._source.shape[1:]

    @property
    def ndim(self) -> int:
        """The number of axes: 4."""
        return len(self._source.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the pixels."""
        return self._source.dtype

    @property
    def hashes(self) -> np.ndarray:
        """A hash of each image, see `hash_images`."""
        if self._hashes is not None:
            return self._hashes[self._rows]
        parts = [hash_images(batch) for batch in in_batches(self)]
        return np.concatenate(parts) if parts else np.empty(0, np.uint64)

    def take(self, rows: np.ndarray) -> "IndexedImages":
        """Chooses among the images without a copy.

        Args:
            rows: Their numbers, or a mask.
        """
        return IndexedImages(self._source, self._rows[rows], hashes=self._hashes)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        rows = self._rows[index]
        # An array of numbers always: a single one would give a view.
        pixels = self._source[np.atleast_1d(rows)]
        return pixels if isinstance(rows, np.ndarray) else pixels[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        pixels = self[:]
        return pixels if dtype is None else pixels.astype(dtype, copy=False)


Images = np.ndarray | IndexedImages
"""What takes the place of an array wherever images are read by their rows."""


def take(images: Images, rows: np.ndarray) -> IndexedImages:
    """Chooses among images without a copy.

    Args:
        images: Shape (count, height, width, channels), uint8.
        rows: Their numbers, or a mask, shape (any,).
    """
    if isinstance(images, IndexedImages):
        return images.take(rows)
    return IndexedImages(images, np.arange(len(images))[rows])


def in_batches(images: Images, size: int = _BATCH) -> Iterator[np.ndarray]:
    """Yields images in their order, so many at a time.

    Args:
        images: Shape (count, height, width, channels).
        size: How many. Defaults to 1,024.
    """
    for start in range(0, len(images), size):
        yield images[start : start + size]


def in_parts(images: Images) -> Iterator[np.ndarray]:
    """Yields images in their order, about 134 MB of pixels at a time.

    Args:
        images: Shape (count, height, width, channels), uint8.
    """
    return in_batches(images, max(1, _PART_BYTES // int(np.prod(images.shape[1:]))))


def hash_images(images: np.ndarray) -> np.ndarray:
    """Hashes the pixels of each image by the first 8 bytes of SHA-256, which processors compute.

    Args:
        images: Shape (count, height, width, channels), uint8.

    Returns:
        Shape (count,), uint64; equal images have equal hashes.
    """
    images = np.ascontiguousarray(images)
    hashes = (hashlib.sha256(image.data).digest()[:8] for image in images)
    return np.frombuffer(b"".join(hashes), np.dtype("<u8"))
