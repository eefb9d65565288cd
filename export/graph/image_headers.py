"""What encoded images announce before their pixels, read as graph operations.

A JPEG is a list of segments and a PNG one of chunks. All images of a batch are walked through at the
same time, up to their pixels; what comes after those is not looked at.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from dcgan.data.decoding import image_formats, orientation
from export.graph import byte_reading, exif

_HEAD = 24
_PART = 10
_MOST_PARTS = 1024
# Segments with a frame's size: all from C0 to CF except tables.
_FRAMES = tuple(marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC))
_SCAN, _APP1 = 0xDA, 0xE1


class Headers(NamedTuple):
    """What a batch of encoded images announces.

    Attributes:
        is_jpeg: Shape (batch,), bool.
        height: In pixels, as stored, shape (batch,), int64; 0 if there is an error.
        width: Likewise.
        orientation: EXIF's, 1 to 8, shape (batch,), int64.
        error: Why an image cannot be decoded, shape (batch,), string; empty if it may be.
    """

    is_jpeg: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    orientation: tf.Tensor
    error: tf.Tensor


class _Walk(NamedTuple):
    """Where the walk through each image is, and what it has found; shapes (batch,), int64."""

    position: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    exif_start: tf.Tensor
    exif_end: tf.Tensor
    is_over: tf.Tensor


class _Part(NamedTuple):
    """A segment or chunk of each image, shapes (batch,)."""

    size: tf.Tensor
    is_frame: tf.Tensor
    is_exif: tf.Tensor
    is_last: tf.Tensor
    exif_at: tf.Tensor


def read(contents: tf.Tensor, *, max_pixels: int) -> Headers:
    """Reads the headers of a batch of encoded images.

    Args:
        contents: Anything, shape (batch,), string.
        max_pixels: How many pixels an image may have.
    """
    ends = tf.cast(tf.strings.length(contents), tf.int64)
    head = byte_reading.read(contents, tf.zeros_like(ends), end=ends, count=_HEAD)
    is_png = byte_reading.says(head, image_formats.PNG_START)
    is_png &= byte_reading.says(head, b"IHDR", at=12)
    is_jpeg = byte_reading.says(head, image_formats.JPEG_START)
    walk = _walk(contents, ends, is_png=is_png, is_jpeg=is_jpeg)
    height = tf.where(is_png, byte_reading.number(head, range(20, 24)), walk.height)
    width = tf.where(is_png, byte_reading.number(head, range(16, 20)), walk.width)
    error = tf.where(height * width > 0, _size_error(height, width, max_pixels), image_formats.DAMAGED)
    error = tf.where(is_png | is_jpeg, error, image_formats.NOT_SERVED)
    error = tf.where(ends > image_formats.MAX_BYTES, _say(image_formats.too_many_bytes, ends), error)
    return Headers(
        is_jpeg,
        tf.where(error == "", height, 0),
        tf.where(error == "", width, 0),
        exif.read_orientation(contents, walk.exif_start, end=walk.exif_end),
        error,
    )


def _size_error(height: tf.Tensor, width: tf.Tensor, max_pixels: int) -> tf.Tensor:
    size = tf.strings.join([tf.strings.as_string(width), " x ", tf.strings.as_string(height)])
    many = _say(lambda text: image_formats.too_many_pixels(text, max_pixels), size)
    is_long = tf.maximum(height, width) > image_formats.MAX_SIDE
    long = tf.where(is_long, _say(image_formats.too_long, size), "")
    return tf.where(height * width > max_pixels, many, long)


def _say(message: Callable[[str], str], start: tf.Tensor) -> tf.Tensor:
    """Returns a message that begins with a value of each image."""
    text = start if start.dtype == tf.string else tf.strings.as_string(start)
    return tf.strings.join([text, message("")])


def _walk(contents: tf.Tensor, ends: tf.Tensor, *, is_png: tf.Tensor, is_jpeg: tf.Tensor) -> _Walk:
    zeros = tf.zeros_like(ends)
    start = _Walk(tf.where(is_png, zeros + 8, 2), zeros, zeros, zeros, zeros, ~(is_png | is_jpeg))

    def step(index: tf.Tensor, walk: _Walk) -> tuple[tf.Tensor, _Walk]:
        found = byte_reading.read(contents, walk.position, end=ends, count=_PART)
        part = _Part(
            *(
                tf.where(is_png, *values)
                for values in zip(_read_chunk(found), _read_segment(found), strict=True)
            )
        )
        return index + 1, _advance(walk, part, found, ends)

    _, walk = tf.while_loop(
        lambda index, walk: (index < _MOST_PARTS) & tf.reduce_any(~walk.is_over),
        step,
        (0, start),
    )
    return walk


def _advance(walk: _Walk, part: _Part, found: tf.Tensor, ends: tf.Tensor) -> _Walk:
    is_frame = part.is_frame & ~walk.is_over
    is_exif = part.is_exif & ~walk.is_over & (walk.exif_start == 0)
    following = walk.position + part.size
    return _Walk(
        following,
        tf.where(is_frame, byte_reading.number(found, (5, 6)), walk.height),
        tf.where(is_frame, byte_reading.number(found, (7, 8)), walk.width),
        tf.where(is_exif, walk.position + part.exif_at, walk.exif_start),
        tf.where(is_exif, tf.minimum(following, ends), walk.exif_end),
        walk.is_over | part.is_last | (following >= ends),
    )


def _read_chunk(found: tf.Tensor) -> _Part:
    is_exif = byte_reading.says(found, b"eXIf", at=4)
    is_last = byte_reading.says(found, b"IDAT", at=4) | byte_reading.says(found, b"IEND", at=4)
    length = byte_reading.number(found, range(4))
    return _Part(length + 12, tf.zeros_like(is_exif), is_exif, is_last, tf.zeros_like(length) + 8)


def _read_segment(found: tf.Tensor) -> _Part:
    """Reads a JPEG's segment; like libjpeg, passes over what may lie between two."""
    marker, length = found[:, 1], byte_reading.number(found, (2, 3))
    is_marker = (found[:, 0] == 0xFF) & (marker != 0xFF)
    is_bare = (marker == 0) | ((marker >= 0xD0) & (marker <= 0xD9))
    size = tf.where(is_bare, tf.zeros_like(length), tf.maximum(length, 2)) + 2
    return _Part(
        tf.where(is_marker, size, 1),
        is_marker & tf.reduce_any(marker[:, tf.newaxis] == _FRAMES, axis=1),
        is_marker & (marker == _APP1) & byte_reading.says(found, orientation.PREFIX, at=4),
        is_marker & (marker == _SCAN),
        tf.zeros_like(length) + 4 + len(orientation.PREFIX),
    )
