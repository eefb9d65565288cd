"""Crop, scale and colour conversion, written once as TensorFlow operations.

Training reads its images through these functions, and the exported model runs the very same ones
on the bytes it decodes, so that both see the same pixels. They work eagerly and inside a
`tf.function` with unknown sizes; only the rank, 3 or 4, must be known. An image that already has
the size and channels wanted passes unchanged, bit by bit.
"""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

_LUMA = (19595, 38470, 7471)  # ITU-R 601: 0.299, 0.587 and 0.114, in units of 2 ** -16.
_CHUNK = 1024
_STRIP = 2**20


def prepare(images: tf.Tensor, *, image_size: int | None, channels: int | None) -> tf.Tensor:
    """Brings decoded images into the shape that a model takes.

    Args:
        images: Shape ([batch,] height, width, 1 to 4), uint8.
        image_size: Pixels a side; None leaves height and width.
        channels: 1 for grey or 3 for RGB; None leaves the channels.

    Returns:
        Shape ([batch,] image_size, image_size, channels), uint8.

    Example:
        >>> photo = np.zeros((48, 64, 3), np.uint8)
        >>> dcgan.data.prepare(photo, image_size=32, channels=1).shape
        TensorShape([32, 32, 1])
    """
    if image_size is not None:
        images = _crop_to_square(images)  # First, for there is less to convert.
    if channels is not None:
        images = to_channels(images, channels)
    return images if image_size is None else resize(images, image_size)


def resize(images: tf.Tensor, size: int) -> tf.Tensor:
    """Crops images to their central square and scales it, bilinear with antialiasing.

    Args:
        images: Shape ([batch,] height, width, channels), uint8.
        size: Pixels a side.

    Returns:
        Shape ([batch,] size, size, channels), uint8, rounded to the nearest grey level.

    Example:
        >>> dcgan.data.resize(images, 14).shape
        TensorShape([1000, 14, 14, 1])
    """
    square = _crop_to_square(images)
    if square.shape[-3] is not None:
        return _scale(square, size)
    # Scaling what has the size already would change nothing, but costs more than all the rest.
    has_size = tf.shape(square)[-3] == size
    scaled = tf.cond(has_size, lambda: square, lambda: _scale(square, size))
    return tf.ensure_shape(scaled, [*square.shape[:-3], size, size, square.shape[-1]])


def to_channels(images: tf.Tensor, channels: int) -> tf.Tensor:
    """Converts between grey and RGB, with or without alpha.

    Alpha is composited over white; RGB becomes ITU-R 601 luma; grey is repeated.

    Args:
        images: Shape ([batch,] height, width, c), uint8; c is 1 for grey, 2 for grey and alpha,
            3 for RGB or 4 for RGB and alpha, and need not be known before the graph runs.
        channels: 1 for grey or 3 for RGB.

    Returns:
        Shape ([batch,] height, width, channels), uint8.

    Example:
        >>> dcgan.data.to_channels(np.uint8([[[255, 0, 0]]]), 1).numpy()
        array([[[76]]], dtype=uint8)
    """
    images = tf.convert_to_tensor(images)
    if images.shape[-1] is not None:
        return _convert(images, images.shape[-1], channels)

    def branch(count: int) -> tf.Tensor:
        known = tf.ensure_shape(images, [*images.shape[:-1], count])
        return _convert(known, count, channels)

    branches = {count - 1: (lambda count=count: branch(count)) for count in (1, 2, 3, 4)}
    return tf.switch_case(tf.shape(images)[-1] - 1, branches)


def prepare_array(images: np.ndarray, *, image_size: int | None, channels: int | None) -> np.ndarray:
    """Does what `prepare` does to a stack of any length, in pieces that fit into memory.

    Args:
        images: Shape (count, height, width, 1 to 4), uint8.
        image_size: Pixels a side; None leaves height and width.
        channels: 1 for grey or 3 for RGB; None leaves the channels.

    Returns:
        Shape (count, image_size, image_size, channels), uint8: `images` itself if it has that
        shape already.

    Example:
        >>> dcgan.data.prepare_array(images, image_size=32, channels=3).shape
        (1000, 32, 32, 3)
    """
    count, *shape = images.shape
    wanted = [image_size or shape[0], image_size or shape[1], channels or shape[2]]
    if shape == wanted:
        return images
    prepared = np.empty([count, *wanted], np.uint8)
    for start in range(0, count, _CHUNK):
        piece = tf.constant(images[start : start + _CHUNK])
        prepared[start : start + _CHUNK] = prepare(piece, image_size=image_size, channels=channels)
    return prepared


def for_any_size(*, image_size: int | None, channels: int | None) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a function that does what `prepare` does to one image, with one graph for all sizes.

    Args:
        image_size: As for `prepare`.
        channels: As for `prepare`.
    """
    graph = tf.function(
        functools.partial(prepare, image_size=image_size, channels=channels),
        input_signature=[tf.TensorSpec([None, None, None], tf.uint8)],
        autograph=False,
    )
    return lambda image: graph(tf.constant(image)).numpy()


def _scale(images: tf.Tensor, size: int) -> tf.Tensor:
    scaled = tf.image.resize(images, (size, size), method="bilinear", antialias=True)
    return tf.cast(tf.round(tf.cast(scaled, tf.float32)), tf.uint8)


def _crop_to_square(images: tf.Tensor) -> tf.Tensor:
    height, width = images.shape[-3], images.shape[-2]
    if height is None or width is None:
        shape = tf.shape(images)
        height, width = shape[-3], shape[-2]
    elif height == width:
        return images
    side = tf.minimum(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return images[..., top : top + side, left : left + side, :]


@tf.autograph.experimental.do_not_convert
def _convert(images: tf.Tensor, count: int, channels: int) -> tf.Tensor:
    """Converts all at once, or a large image in strips."""
    if count == channels:
        return images
    size = images.shape.num_elements()
    if images.shape.rank != 3 or (size is not None and size <= _STRIP):
        return _convert_strip(images, count, channels)
    converted = tf.cond(
        tf.size(images) > _STRIP,
        lambda: _convert_in_strips(images, count, channels),
        lambda: _convert_strip(images, count, channels),
    )
    return tf.ensure_shape(converted, [*images.shape[:-1], channels])


def _convert_in_strips(images: tf.Tensor, count: int, channels: int) -> tf.Tensor:
    """Converts a few rows at a time: their integers of 32 bits take several times their own memory."""
    height, width = tf.shape(images)[0], tf.shape(images)[1]
    rows = tf.maximum(1, _STRIP // (count * width))
    number = -(-height // rows)

    def convert(index: tf.Tensor, strips: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        strip = images[index * rows : (index + 1) * rows]
        return index + 1, strips.write(index, _convert_strip(strip, count, channels))

    strips = tf.TensorArray(tf.uint8, number, infer_shape=False, element_shape=(None, None, channels))
    _, strips = tf.while_loop(
        lambda index, _: index < number, convert, (0, strips), parallel_iterations=1
    )
    return strips.concat()


def _convert_strip(images: tf.Tensor, count: int, channels: int) -> tf.Tensor:
    if count in (2, 4):
        images = _composite_over_white(images)
    if count <= 2 and channels == 3:
        return tf.repeat(images, 3, axis=-1)
    return _luma(images) if count >= 3 and channels == 1 else images


def _composite_over_white(images: tf.Tensor) -> tf.Tensor:
    levels = tf.cast(images, tf.int32)
    colour, alpha = levels[..., :-1], levels[..., -1:]
    return tf.cast((colour * alpha + 255 * (255 - alpha) + 127) // 255, tf.uint8)


def _luma(images: tf.Tensor) -> tf.Tensor:
    weighted = tf.reduce_sum(tf.cast(images, tf.int32) * _LUMA, axis=-1, keepdims=True)
    return tf.cast((weighted + 2**15) // 2**16, tf.uint8)
