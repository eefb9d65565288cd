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
    rows, qualities = np.zeros((len(items), *target.shape), np.uint8), np.zeros(len(items), np.uint8)
    others: dict[int, np.ndarray] = {}
    bad: dict[int, str] = {}
    labels: list[int] = []
    largest = (0, 0, 0)
    waiting = 0

    def prepare_others() -> None:
        for shape in {pixels.shape for pixels in others.values()}:
            chosen = [index for index, pixels in others.items() if pixels.shape == shape]
            rows[chosen] = _prepare(np.stack([others[index] for index in chosen]), target.shape)
        others.clear()

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
        if pixels.shape == target.shape:
            rows[index] = pixels
            continue
        others[index] = pixels
        waiting += pixels.nbytes
        if waiting > _WAITING:
            prepare_others()
            waiting = 0
    prepare_others()
    writing.write_rows(descriptor, rows, target, start)
    return Chunk(
        start + len(items),
        indexed_images.hash_images(rows),
        bad,
        labels if max(labels) >= 0 else None,
        largest if len(bad) < len(items) else None,
        qualities,
    )


def _prepare(images: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    from dcgan.data import preprocessing

    return preprocessing.prepare_array(images, image_size=shape[0], channels=shape[-1])


if __name__ == "__main__":
    main()
