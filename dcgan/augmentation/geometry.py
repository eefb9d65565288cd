"""ADA's geometric distortions, each with a probability of its own, in one interpolation.

Reference:
    - [Karras et al., 2020](https://arxiv.org/abs/2006.06676), appendix B
"""

import math

import tensorflow as tf

# The paper's strengths: shares of the image's sides, and powers of two.
_WHOLE_SHIFT = 0.125
_SHIFT = 0.125
_SCALE = 0.2
# The paper turns by any angle, which makes a 6 a 9.
_RADIANS = math.radians(10.0)


def distort_geometry(images: tf.Tensor, probability: tf.Tensor, *, seed: tf.Tensor) -> tf.Tensor:
    """Shifts, scales, stretches and slightly turns images at random; never flips.

    Each distortion is drawn on its own for each image. Pixels from beyond the border are the image's
    reflection. Gradients with respect to the images are exact.

    Args:
        images: Shape (batch, height, width, channels), float32, any range.
        probability: Scalar, float32, 0 to 1: the chance of each distortion.
        seed: Shape (2,), int32 or int64; the same seed gives the same distortions.

    Returns:
        The same shape and dtype. Images with no distortion stay exactly as they are.
    """
    height, width = images.shape[1:3]
    linear, shift = _draw(tf.shape(images)[0], (height, width), probability, seed)
    rows = tf.range(height, dtype=tf.float32)[:, None] - (height - 1) / 2
    columns = tf.range(width, dtype=tf.float32)[None] - (width - 1) / 2
    linear, shift = linear[..., None, None], shift[..., None, None]
    y = linear[0, 0] * rows + linear[0, 1] * columns + shift[0] + (height - 1) / 2
    x = linear[1, 0] * rows + linear[1, 1] * columns + shift[1] + (width - 1) / 2
    return _interpolate(images, _reflect(y, height), _reflect(x, width))


def _draw(
    count: tf.Tensor, size: tuple[int, int], probability: tf.Tensor, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws maps from output to input pixels about the centre: shapes (2, 2, count) and (2, count)."""
    seeds = tf.random.experimental.stateless_split(seed, 3)
    chances = tf.random.stateless_uniform((6, count), seeds[0])
    normal = tf.random.stateless_normal((4, count), seeds[1])
    uniform = tf.random.stateless_uniform((4, count), seeds[2], minval=-1.0, maxval=1.0)
    scale = tf.exp(math.log(2) * _SCALE * tf.where(chances[0] < probability, normal[0], 0.0))
    stretch = tf.exp(math.log(2) * _SCALE * tf.where(chances[1] < probability, normal[1], 0.0))
    # One turn before the stretch and one after; the chance that either happens is `probability`.
    turned = chances[2:4] < 1.0 - tf.sqrt(1.0 - probability)
    angles = _RADIANS * tf.where(turned, uniform[:2], 0.0)
    stretched = _product(_rotation(angles[0]), [[scale * stretch, 0.0], [0.0, scale / stretch]])
    linear = tf.stack(_product(stretched, _rotation(angles[1])))
    sides = tf.constant(size, tf.float32)[:, None]
    shift = _SHIFT * sides * tf.where(chances[4] < probability, normal[2:], 0.0)
    whole = tf.round(_WHOLE_SHIFT * sides * tf.where(chances[5] < probability, uniform[2:], 0.0))
    return linear, tf.reduce_sum(linear * shift[None], axis=1) + whole


def _rotation(angle: tf.Tensor) -> list[list[tf.Tensor]]:
    return [[tf.cos(angle), -tf.sin(angle)], [tf.sin(angle), tf.cos(angle)]]


def _product(a: list[list[tf.Tensor]], b: list[list[tf.Tensor]]) -> list[list[tf.Tensor]]:
    """Multiplies 2 x 2 matrices of tensors."""
    return [[row[0] * b[0][column] + row[1] * b[1][column] for column in (0, 1)] for row in a]


def _reflect(position: tf.Tensor, size: int) -> tf.Tensor:
    """Folds positions back to 0 ... size - 1, as mirrors on the outermost pixels would."""
    last = size - 1
    return last - tf.abs(tf.math.floormod(position, 2 * last) - last)


def _interpolate(images: tf.Tensor, y: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Samples images bilinearly at positions within them, shapes (batch, height, width)."""
    height, width, channels = images.shape[1:]
    top, left = tf.floor(y), tf.floor(x)
    below, right = y - top, x - left
    # One more row and column stand for the neighbours of the last, which weigh nothing.
    pixels = tf.reshape(tf.pad(images, [[0, 0], [0, 1], [0, 1], [0, 0]]), [-1, channels])
    starts = tf.range(tf.shape(images)[0])[:, None, None] * ((height + 1) * (width + 1))
    index = starts + tf.cast(top, tf.int32) * (width + 1) + tf.cast(left, tf.int32)
    corners = (
        (index, (1.0 - below) * (1.0 - right)),
        (index + 1, (1.0 - below) * right),
        (index + width + 1, below * (1.0 - right)),
        (index + width + 2, below * right),
    )
    return tf.add_n([tf.gather(pixels, place) * weight[..., None] for place, weight in corners])
