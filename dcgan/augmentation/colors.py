"""ADA's distortions of colour, each with a probability of its own, in one product.

Reference:
    - [Karras et al., 2020](https://arxiv.org/abs/2006.06676), appendix B
"""

import math

import numpy as np
import tensorflow as tf

# The paper's strengths; those of contrast and saturation are powers of two.
_BRIGHTNESS = 0.2
_CONTRAST = 0.5
_SATURATION = 1.0
# The cross product with the grey axis, which turns colours around it.
_TURN = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float32) / math.sqrt(3)


def distort_colors(images: tf.Tensor, probability: tf.Tensor, *, seed: tf.Tensor) -> tf.Tensor:
    """Changes brightness and contrast, inverts lightness, changes hue and saturation, at random.

    Each distortion is drawn on its own for each image. As in the paper, grey images get the first
    three, so some become negatives; only images of three channels get the last two.

    Args:
        images: Shape (batch, height, width, channels), float32, -1 to 1.
        probability: Scalar, float32, 0 to 1: the chance of each distortion.
        seed: Shape (2,), int32 or int64; the same seed gives the same distortions.

    Returns:
        The same shape and dtype; may leave -1 to 1. Images with no distortion stay exactly as they are.
    """
    channels = images.shape[-1]
    seeds = tf.random.experimental.stateless_split(seed, 3)
    count = tf.shape(images)[0]
    chances = tf.random.stateless_uniform((5, count, 1, 1), seeds[0])
    normal = tf.random.stateless_normal((3, count, 1, 1), seeds[1])
    angle = tf.random.stateless_uniform((count, 1, 1), seeds[2], minval=-math.pi, maxval=math.pi)
    chosen = chances < probability
    brightness = _BRIGHTNESS * tf.where(chosen[0], normal[0], 0.0)
    contrast = tf.exp(math.log(2) * _CONTRAST * tf.where(chosen[1], normal[1], 0.0))
    # Half of those chosen are inverted.
    lightness = tf.where(chances[2] < probability / 2, -contrast, contrast)
    color, turn = contrast, np.zeros((channels, channels), np.float32)
    if channels == 3:
        color *= tf.exp(math.log(2) * _SATURATION * tf.where(chosen[3], normal[2], 0.0))
        angle = tf.where(chosen[4], angle, 0.0)
        color, turn = color * tf.cos(angle), color * tf.sin(angle) * _TURN
    # The grey part of a pixel is multiplied by `lightness`, the rest by `color` and turned. Only the
    # change is a matrix product, since those of GPUs round.
    grey = (lightness - color) * np.full((channels, channels), 1 / channels, np.float32)
    change = (color - 1.0) * np.eye(channels, dtype=np.float32) + turn + grey
    pixels = tf.reshape(images, [-1, images.shape[1] * images.shape[2], channels])
    changed = pixels + tf.matmul(pixels, change, transpose_b=True) + lightness * brightness
    return tf.reshape(changed, tf.shape(images))
