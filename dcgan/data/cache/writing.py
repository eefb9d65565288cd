"""Batches of images that this process prepares itself, written into a cache."""

import contextlib
import math
import os
from collections.abc import Iterable, Iterator

import numpy as np

from dcgan.data import indexed_images
from dcgan.data.cache.image_cache import Chunk, Target


def write_batches(
    batches: Iterable[tuple[np.ndarray, np.ndarray | None]], target: Target, start: int
) -> Iterator[Chunk]:
    """Writes batches into consecutive rows.

    Args:
        batches: Images, shape (any, height, width, channels), uint8, each with labels or without.
        target: The file.
        start: The first row.

    Raises:
        OSError: If the file cannot be written to.
    """
    descriptor = os.open(target.path, os.O_WRONLY)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, descriptor)
        for images, labels in batches:
            write_rows(descriptor, images, target, start)
            start += len(images)
            hashes = indexed_images.hash_images(images)
            yield Chunk(start, hashes, labels=None if labels is None else labels.tolist())


def write_rows(descriptor: int, images: np.ndarray, target: Target, start: int) -> None:
    """Writes images into consecutive rows of an open file.

    A mapped file would end the process where the disk is full.

    Args:
        descriptor: The file.
        images: Shape (any, height, width, channels), uint8.
        target: The same file.
        start: The first row.
    """
    content = np.ascontiguousarray(images).data.cast("B")
    offset = target.offset + start * math.prod(target.shape)
    while content:
        written = os.pwrite(descriptor, content, offset)
        content, offset = content[written:], offset + written
