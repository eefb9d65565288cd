"""What encoded images announce in their first bytes, read as graph operations."""

from typing import NamedTuple

import tensorflow as tf

_HEAD = 64

NOT_SERVED = "not a PNG, JPEG or WebP image"
ANIMATED_WEBP = "an animated WebP; expected a PNG, JPEG or still WebP image"


class Headers(NamedTuple):
    """What a batch of encoded images announces.

    Attributes:
        is_jpeg: Shape (batch,), bool.
        height: In pixels, shape (batch,), int64; 0 for a JPEG, whose size is further in.
        width: Likewise.
        error: Why an image cannot be decoded, shape (batch,), string; empty if it may be.
    """

    is_jpeg: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    error: tf.Tensor


def read(contents: tf.Tensor) -> Headers:
    """Reads the headers of a batch of encoded images.

    Args:
        contents: Anything, shape (batch,), string.
    """
    head = _first_bytes(contents)
    is_png = _says(head, b"\x89PNG\r\n\x1a\n") & _says(head, b"IHDR", at=12)
    is_jpeg = _says(head, b"\xff\xd8\xff")
    is_webp = _says(head, b"RIFF") & _says(head, b"WEBP", at=8)
    height, width = _webp_size(head)
    height = tf.where(is_png, _number(head, [23, 22, 21, 20]), height)
    width = tf.where(is_png, _number(head, [19, 18, 17, 16]), width)
    error = tf.where(is_png | is_jpeg | is_webp, "", NOT_SERVED)
    # TensorFlow's decoder, asked for the first frame only, would end the whole process.
    is_animated = is_webp & _says(head, b"VP8X", at=12) & (head[:, 20] // 2 % 2 == 1)
    error = tf.where(is_animated, ANIMATED_WEBP, error)
    has_size = is_png | is_webp
    return Headers(is_jpeg, tf.where(has_size, height, 0), tf.where(has_size, width, 0), error)


def size_error(height: tf.Tensor, width: tf.Tensor, max_pixels: int) -> tf.Tensor:
    """Returns why an image is too large, or an empty string.

    Args:
        height: Scalar, int64.
        width: Likewise.
        max_pixels: How many pixels an image may have.
    """
    size = tf.strings.join([tf.strings.as_string(width), " x ", tf.strings.as_string(height)])
    reason = tf.strings.join([size, f" pixels are more than the {max_pixels} allowed"])
    return tf.where(height * width > max_pixels, reason, "")


def _first_bytes(contents: tf.Tensor) -> tf.Tensor:
    """Returns shape (batch, 64), int64, with zeros where an image is shorter."""
    starts = tf.strings.substr(contents, 0, _HEAD)
    padded = tf.strings.substr(tf.strings.join([starts, tf.constant(b"\0" * _HEAD)]), 0, _HEAD)
    return tf.cast(tf.reshape(tf.io.decode_raw(padded, tf.uint8), (-1, _HEAD)), tf.int64)


def _says(head: tf.Tensor, text: bytes, *, at: int = 0) -> tf.Tensor:
    return tf.reduce_all(head[:, at : at + len(text)] == list(text), axis=1)


def _webp_size(head: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    lossless, extended = _says(head, b"VP8L", at=12), _says(head, b"VP8X", at=12)
    packed = _number(head, [21, 22, 23, 24])
    height, width = _number(head, [28, 29]) % 2**14, _number(head, [26, 27]) % 2**14
    height = tf.where(lossless, packed // 2**14 % 2**14 + 1, height)
    width = tf.where(lossless, packed % 2**14 + 1, width)
    height = tf.where(extended, _number(head, [27, 28, 29]) + 1, height)
    return height, tf.where(extended, _number(head, [24, 25, 26]) + 1, width)


def _number(head: tf.Tensor, places: list[int]) -> tf.Tensor:
    """Reads a number whose bytes are at these places, the least significant first."""
    return tf.add_n([head[:, place] * 256**power for power, place in enumerate(places)])
