"""A file whose rows are images."""

import math
import os
import pathlib
import weakref

import numpy as np

from dcgan.errors import InputError


class RowFile:
    """The images of a file, read when they are asked for.

    Not mapped: a reading of images that lie far apart brings in far more pages than theirs, all of
    which count as memory of this process.

    Args:
        path: The file. It is kept open, and may be deleted.
        shape: The (count, height, width, channels).
        offset: Where the first image begins, in bytes.
    """

    def __init__(self, path: pathlib.Path, shape: tuple[int, int, int, int], *, offset: int) -> None:
        self.path, self.shape, self._offset = path, shape, offset
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """The type of the pixels."""
        return np.dtype(np.uint8)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Reads some images, shape (rows, height, width, channels), uint8.

        Raises:
            InputError: If the file has become shorter.
        """
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        size = math.prod(self.shape[1:])
        content = images.reshape(-1).data
        for position, row in enumerate(rows.tolist()):
            self._read(content[position * size : (position + 1) * size], self._offset + row * size)
        return images

    def _read(self, into: memoryview, offset: int) -> None:
        while into:
            count = os.preadv(self._descriptor, [into], offset)
            if not count:
                raise InputError(f"{self.path}: expected {self.shape[0]:,} images, the file is shorter")
            into, offset = into[count:], offset + count
