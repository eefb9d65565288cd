"""EXIF orientation in graph operations; `dcgan.data.decoding.orientation` does the same to arrays."""

from collections.abc import Callable

import tensorflow as tf

from dcgan.data.decoding import orientation
from export.graph import byte_reading

_ENTRY = 12


def read_orientation(contents: tf.Tensor, start: tf.Tensor, *, end: tf.Tensor) -> tf.Tensor:
    """Finds the orientation in each image's EXIF block.

    Args:
        contents: Encoded images, shape (batch,), string.
        start: Where the block starts, shape (batch,), int64; 0 where there is none.
        end: Where it ends, likewise.

    Returns:
        1 to 8, shape (batch,), int64; 1 if there is no block, or nothing valid in it.
    """
    upright = tf.ones_like(start)
    return tf.cond(tf.reduce_any(start > 0), lambda: _find(contents, start, end=end), lambda: upright)


def turn_upright(pixels: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """Turns pixels upright.

    Args:
        pixels: Shape (height, width, channels), height and width unknown.
        number: The orientation, a scalar, int64, 1 to 8.
    """

    def when(
        among: tuple[int, ...], turn: Callable[[tf.Tensor], tf.Tensor], image: tf.Tensor
    ) -> tf.Tensor:
        return tf.cond(tf.reduce_any(number == among), lambda: turn(image), lambda: image)

    pixels = when(orientation.TRANSPOSED, lambda image: tf.transpose(image, (1, 0, 2)), pixels)
    pixels = when(orientation.FLIPPED_ACROSS, lambda image: image[:, ::-1], pixels)
    return when(orientation.FLIPPED_DOWN, lambda image: image[::-1], pixels)


def _find(contents: tf.Tensor, start: tf.Tensor, *, end: tf.Tensor) -> tf.Tensor:
    head = byte_reading.read(contents, start, end=end, count=8)
    is_big, is_little = byte_reading.says(head, b"MM\0*"), byte_reading.says(head, b"II*\0")

    def number(values: tf.Tensor, first: int, size: int) -> tf.Tensor:
        places = range(first, first + size)
        big, little = byte_reading.number(values, places), byte_reading.number(values, places[::-1])
        shape = [-1] + [1] * (len(big.shape) - 1)
        return tf.where(tf.reshape(is_big, shape), big, little)

    directory = start + number(head, 4, 4)
    size = 2 + _ENTRY * orientation.MAX_ENTRIES
    table = byte_reading.read(contents, directory, end=end, count=size)
    entries = tf.reshape(table[:, 2:], (-1, orientation.MAX_ENTRIES, _ENTRY))
    exists = tf.range(orientation.MAX_ENTRIES, dtype=tf.int64) < number(table, 0, 2)[:, tf.newaxis]
    is_found = exists & (number(entries, 0, 2) == orientation.TAG)
    entry = tf.gather(entries, tf.argmax(is_found, axis=1), batch_dims=1)
    value = number(entry, 8, 2)
    is_valid = tf.reduce_any(is_found, axis=1) & (number(entry, 2, 2) == orientation.SHORT)
    is_valid &= (is_big | is_little) & (start > 0) & (value >= 1) & (value <= 8)
    return tf.where(is_valid, value, 1)
