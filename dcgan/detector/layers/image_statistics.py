"""What a whole image says of its making, as a network's input: framing and grey levels."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

# Grey levels of 8-bit images; halves, so that no pixel lies on one.
_EDGES = (7.5, 15.5, 27.5, 39.5, 59.5, 79.5, 103.5, 127.5, 159.5, 191.5, 223.5)
_DARK = (0.5, 1.5, 2.5, 3.5, 4.5, 8.5, 16.5, 32.5, 64.5, 96.5)
_BINS = (*_DARK, 127.5, *(255.0 - level for level in reversed(_DARK)))
# One grey level is 1 / 127.5: a step of about five levels, which still has a gradient.
_STEEPNESS = 100.0


@keras.saving.register_keras_serializable(package="dcgan")
class Framing(keras.layers.Layer):
    """Measures where an image's content begins and ends, where its weight lies and how far it spreads.

    Cameras, scanners and whoever prepared a data set frame images by rules that hold for every one of
    them (MNIST's digits fill 20 pixels and have their centre of mass in the middle); a generator keeps
    such a rule on average only. No pixel or patch shows that, so convolutions hardly see it.

    Extents are taken at several grey levels, of the brightest and of the darkest pixel of each row
    and column. Lengths are in units of the image's side.

    Reference:
        moments: Hu, 1962, "Visual pattern recognition by moment invariants"
    """

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Measures images.

        Args:
            images: Shape (batch, height, width, channels), float32, -1 to 1.

        Returns:
            Shape (batch, length), float32; the length depends on the channels alone.
        """
        measured = []
        for axis in (2, 1):
            for sign in (1.0, -1.0):
                profile = tf.reduce_max(sign * images, axis=axis)
                levels = sign * (tf.constant(_EDGES) / 127.5 - 1)
                measured.append(_margins(profile, levels))
        # (batch, channels, 44, 2): margins before and after; what they leave is the extent.
        margins = tf.concat(measured, axis=2)
        extents = 1 - tf.reduce_sum(margins, axis=-1)
        down, across = tf.split(extents, 2, axis=2)
        parts = [margins, extents, tf.maximum(down, across), tf.minimum(down, across)]
        parts += [_moments((1 + images) / 2), _moments((1 - images) / 2)]
        return tf.concat([tf.reshape(part, (-1, _size(part))) for part in parts], axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Returns (batch, length)."""
        levels = 2 * len(_EDGES)
        each = 2 * levels * 2 + 2 * levels + 2 * levels + 2 * 6
        return input_shape[0], each * int(input_shape[-1] or 0)


@keras.saving.register_keras_serializable(package="dcgan")
class Levels(keras.layers.Layer):
    """Counts how many pixels of an image have which grey levels, finest at black and white.

    Whatever digitised or encoded an image leaves a set of levels of its own, such as a white that is
    253 in one image and 254 in another; a generator's levels are those of its last activation. Counts
    have no gradient.
    """

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Measures images.

        Args:
            images: Shape (batch, height, width, channels), float32, -1 to 1.

        Returns:
            Logarithms of pixels a bin, shape (batch, 22 * channels), float32.
        """
        levels = tf.constant(_BINS) / 127.5 - 1
        # Whole numbers, whose sums and differences are exact in whatever order they are taken.
        is_below = tf.cast(images[..., tf.newaxis] < levels, tf.float32)
        below = tf.pad(tf.reduce_sum(is_below, axis=(1, 2)), [[0, 0], [0, 0], [1, 0]])
        size = float(images.shape[1] * images.shape[2])
        above = tf.concat([below[..., 1:], tf.fill(tf.shape(below[..., :1]), size)], -1)
        counts = tf.math.log1p(above - below)
        return tf.reshape(counts, (-1, _size(counts)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Returns (batch, length)."""
        return input_shape[0], (len(_BINS) + 1) * int(input_shape[-1] or 0)


def _margins(profile: tf.Tensor, levels: tf.Tensor) -> tf.Tensor:
    """Returns the shares of a profile before its first and after its last value above each level.

    Args:
        profile: Shape (batch, length, channels).
        levels: Shape (count,).

    Returns:
        Shape (batch, channels, count, 2).
    """
    below = tf.sigmoid(_STEEPNESS * (levels - profile[..., tf.newaxis]))
    before = tf.reduce_mean(tf.math.cumprod(below, axis=1), axis=1)
    after = tf.reduce_mean(tf.math.cumprod(below, axis=1, reverse=True), axis=1)
    return tf.stack([before, after], axis=-1)


def _moments(weights: tf.Tensor) -> tf.Tensor:
    """Returns mean weight, centroid, variances and covariance, shape (batch, channels, 6)."""
    height, width = weights.shape[1:3]
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, np.newaxis, np.newaxis]
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[:, np.newaxis]
    mass = tf.reduce_mean(weights, axis=(1, 2))

    def mean(values: Any) -> tf.Tensor:
        return tf.reduce_mean(weights * values, axis=(1, 2)) / (mass + 1e-6)

    y, x = mean(down), mean(across)
    spread = [mean(down**2) - y**2, mean(across**2) - x**2, mean(down * across) - y * x]
    return tf.stack([mass, y, x, *spread], axis=-1)


def _size(part: tf.Tensor) -> int:
    return int(part.shape[1:].num_elements())
