"""A process that decodes images for a cache, run by `decoding_pool` as a module of its own.

It imports TensorFlow only if an image has to be cropped, scaled or converted.
"""

import contextlib
import os
import pickle
import sys
from collections.abc import Sequence

import numpy as np
import PIL.Image

from dcgan.data import indexed_images
from dcgan.data.cache import writing
from dcgan.data.cache.image_cache import Chunk, Target
from dcgan.data.decoding import image_file, jpeg_quality
from dcgan.data.decoding.encoded_item import EncodedItem

# Bytes of decoded images that wait to be prepared together.
_WAITING = 2**25


def main() -> None:
    """Answers requests on standard input, each a first row and its items, until it is closed."""
    requests = sys.stdin.buffer
    with os.fdopen(os.dup(1), "wb") as replies, image_file.without_warnings():
        os.dup2(2, 1)  # Nothing that a library prints may come between the replies.
        target: Target = pickle.load(requests)
        with open(target.path, "r+b") as file, contextlib.suppress(EOFError):  # noqa: PTH123
            while True:
                start, items = pickle.load(requests)
                try:
                    reply: Chunk | Exception = decode(items, start, target, file.fileno())
                except Exception as error:
                    reply = error
                pickle.dump(reply, replies)
                replies.flush()


def decode(items: Sequence[EncodedItem], start: int, target: Target, descriptor: int) -> Chunk:
    """Decodes images into consecutive rows of a file.

    Args:
        items: The images.
        start: The row of the first.
        target: The file.
        descriptor: The same, open for writing.
    """
    rows, qualities = _Rows(len(items), target.shape), np.zeros(len(items), np.uint8)
    bad: dict[int, str] = {}
    labels: list[int] = []
    largest = (0, 0, 0)

    def look(image: PIL.Image.Image) -> None:
        qualities[index] = jpeg_quality.read_kept(image, target.shape)

    for index, item in enumerate(items):
        try:
            content, label = item.open()
            pixels = image_file.decode(content, np.asarray, look=look)
        except image_file.UnreadableError as error:
            bad[start + index] = error.reason
            continue
        finally:
            labels.append(-1)
        if label is not None:
            labels[-1] = label
        largest = image_file.larger(largest, pixels.shape)
        rows.put(index, pixels)
    rows.prepare()
    writing.write_rows(descriptor, rows.images, target, start)
    return Chunk(
        start + len(items),
        indexed_images.hash_images(rows.images),
        bad,
        labels if max(labels) >= 0 else None,
        largest if len(bad) < len(items) else None,
        qualities,
    )


class _Rows:
    """Images of one shape; those that have another wait to be prepared together.

    Args:
        count: How many there are.
        shape: Their shape.
    """

    def __init__(self, count: int, shape: tuple[int, int, int]) -> None:
        self.images = np.zeros((count, *shape), np.uint8)
        self._others: dict[int, np.ndarray] = {}
        self._waiting = 0

    def put(self, index: int, pixels: np.ndarray) -> None:
        """Takes an image of any size and number of channels."""
        if pixels.shape == self.images.shape[1:]:
            self.images[index] = pixels
            return
        self._others[index] = pixels
        self._waiting += pixels.nbytes
        if self._waiting > _WAITING:
            self.prepare()

    def prepare(self) -> None:
        """Crops, scales and converts what waits."""
        for shape in {pixels.shape for pixels in self._others.values()}:
            chosen = [index for index, pixels in self._others.items() if pixels.shape == shape]
            stacked = np.stack([self._others[index] for index in chosen])
            self.images[chosen] = _prepare(stacked, self.images.shape[1:])
        self._others.clear()
        self._waiting = 0


def _prepare(images: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    from dcgan.data import preprocessing

    return preprocessing.prepare_array(images, image_size=shape[0], channels=shape[-1])


if __name__ == "__main__":
    main()
