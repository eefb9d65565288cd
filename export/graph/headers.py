"""What encoded images announce of themselves, read as graph operations from their first bytes."""

from typing import NamedTuple

import tensorflow as tf

# Branches of `tf.switch_case` are counted from 0.
UNKNOWN, JPEG, BMP, GIF, PNG, WEBP = range(-1, 5)

_HEAD = 64
_BMP_HEADER = 40
_BMP_BITS = (8, 24, 32)

NOT_AN_IMAGE = "content is none of these"
ANIMATED_WEBP = "an animated WebP is not supported"
UNSUPPORTED_BMP = "a BMP has to be uncompressed, of 8, 24 or 32 bits"


class Headers(NamedTuple):
    """What a batch of encoded images announces.

    Attributes:
        kind: `PNG`, `JPEG` and so on, shape (batch,), int32.
        height: In pixels, shape (batch,), int64; 0 for a JPEG, whose size is further in.
        width: Likewise; of a GIF, the screen's.
        error: Why a row cannot be decoded, shape (batch,), string; empty if nothing speaks against it.
    """

    kind: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    error: tf.Tensor


def read(contents: tf.Tensor) -> Headers:
    """Reads the headers of a batch of encoded images.

    Args:
        contents: Anything, shape (batch,), string.
    """
    head = _first_bytes(contents)
    kind = _kind(head)
    height, width = tf.zeros_like(kind, tf.int64), tf.zeros_like(kind, tf.int64)
    for code, (rows, columns) in _sizes(head).items():
        height = tf.where(kind == code, rows, height)
        width = tf.where(kind == code, columns, width)
    error = tf.where(kind == UNKNOWN, NOT_AN_IMAGE, "")
    error = tf.where((kind == BMP) & ~_is_supported_bmp(head), UNSUPPORTED_BMP, error)
    error = tf.where((kind == WEBP) & _is_animated_webp(head), ANIMATED_WEBP, error)
    return Headers(kind, height, width, error)


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


def _kind(head: tf.Tensor) -> tf.Tensor:
    found = {
        PNG: _says(head, b"\x89PNG\r\n\x1a\n") & _says(head, b"IHDR", at=12),
        JPEG: _says(head, b"\xff\xd8\xff"),
        GIF: _says(head, b"GIF87a") | _says(head, b"GIF89a"),
        BMP: _says(head, b"BM"),
        WEBP: _says(head, b"RIFF") & _says(head, b"WEBP", at=8),
    }
    codes = [(code - UNKNOWN) * tf.cast(matches, tf.int32) for code, matches in found.items()]
    return tf.add_n(codes) + UNKNOWN


def _says(head: tf.Tensor, text: bytes, *, at: int = 0) -> tf.Tensor:
    return tf.reduce_all(head[:, at : at + len(text)] == list(text), axis=1)


def _sizes(head: tf.Tensor) -> dict[int, tuple[tf.Tensor, tf.Tensor]]:
    """Returns height and width by kind, of which each is right for its own rows only."""
    return {
        PNG: (_number(head, 20, 4, big=True), _number(head, 16, 4, big=True)),
        GIF: (_number(head, 8, 2), _number(head, 6, 2)),
        BMP: (tf.abs(_signed(_number(head, 22, 4))), tf.abs(_signed(_number(head, 18, 4)))),
        WEBP: _webp_size(head),
    }


def _webp_size(head: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    lossless, extended = _says(head, b"VP8L", at=12), _says(head, b"VP8X", at=12)
    packed = _number(head, 21, 4)
    height, width = _number(head, 28, 2) % 2**14, _number(head, 26, 2) % 2**14
    height = tf.where(lossless, packed // 2**14 % 2**14 + 1, height)
    width = tf.where(lossless, packed % 2**14 + 1, width)
    height = tf.where(extended, _number(head, 27, 3) + 1, height)
    return height, tf.where(extended, _number(head, 24, 3) + 1, width)


def _is_animated_webp(head: tf.Tensor) -> tf.Tensor:
    """Whether TensorFlow's decoder, asked for the first frame only, would end the whole process."""
    return _says(head, b"VP8X", at=12) & (head[:, 20] // 2 % 2 == 1)


def _is_supported_bmp(head: tf.Tensor) -> tf.Tensor:
    """Whether TensorFlow's decoder, which passes over much of the header, reads it rightly."""
    bits = _number(head, 28, 2)
    known = tf.reduce_any(bits[:, tf.newaxis] == list(_BMP_BITS), axis=1)
    return known & (_number(head, 14, 4) >= _BMP_HEADER) & (_number(head, 30, 4) == 0)


def _number(head: tf.Tensor, start: int, count: int, *, big: bool = False) -> tf.Tensor:
    places = [2 ** (8 * index) for index in range(count)]
    return tf.reduce_sum(head[:, start : start + count] * (places[::-1] if big else places), axis=1)


def _signed(number: tf.Tensor) -> tf.Tensor:
    return tf.where(number >= 2**31, number - 2**32, number)
