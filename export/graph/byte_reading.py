"""Bytes of encoded images, read as numbers in graph operations; beyond the end they are zero."""

from collections.abc import Sequence

import tensorflow as tf


def read(contents: tf.Tensor, start: tf.Tensor, *, end: tf.Tensor, count: int) -> tf.Tensor:
    """Reads some bytes of each content.

    Args:
        contents: Shape (batch,), string.
        start: Where they begin, shape (batch,), int64, 0 or more.
        end: Where what may be read ends, likewise; at most the content's length.
        count: How many.

    Returns:
        Shape (batch, count), int64.
    """
    start = tf.minimum(start, end)
    found = tf.strings.substr(contents, start, tf.minimum(end - start, count))
    padded = tf.strings.substr(tf.strings.join([found, tf.constant(b"\0" * count)]), 0, count)
    return tf.cast(tf.reshape(tf.io.decode_raw(padded, tf.uint8), (-1, count)), tf.int64)


def says(read_bytes: tf.Tensor, text: bytes, *, at: int = 0) -> tf.Tensor:
    """Whether the bytes that were read hold a text, shape (batch,), bool."""
    return tf.reduce_all(read_bytes[:, at : at + len(text)] == list(text), axis=1)


def number(read_bytes: tf.Tensor, places: Sequence[int]) -> tf.Tensor:
    """Returns the numbers whose bytes are at these places, the most significant first.

    Args:
        read_bytes: Shape (..., count), int64.
        places: Indices.

    Returns:
        Shape (...), int64.
    """
    powers = range(len(places) - 1, -1, -1)
    return tf.add_n(
        [read_bytes[..., place] * 256**power for place, power in zip(places, powers, strict=True)]
    )
