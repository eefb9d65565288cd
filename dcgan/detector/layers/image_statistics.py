"""What a whole image says about how it was made, as a network's input: framing and grey levels."""

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


class ImageStatistic(keras.layers.Layer):
    """Measures each image by numbers; a base class.

    It measures in float32 under every dtype policy, since grey levels merge in less.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Measures images.

        Args:
            images: Shape (batch, height, width, channels), float, -1 to 1.

        Returns:
            Shape (batch, length), compute dtype; the length depends on the channels alone.
        """
        parts = self.measure(tf.cast(images, tf.float32))
        flat = [tf.reshape(part, (-1, int(part.shape[1:].num_elements()))) for part in parts]
        return tf.cast(tf.concat(flat, axis=1), self.compute_dtype)

    def measure(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Returns the statistics in parts of shape (batch, ...), float32."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="dcgan")
class Framing(ImageStatistic):
    """Measures where an image's content begins and ends, where its weight lies and how far it spreads.

    Cameras, scanners and whoever prepared a data set frame all images by the same rules (MNIST's digits
    fill 20 pixels and have their centre of mass in the middle); a generator keeps such a rule on average
    only. No pixel or patch shows that, so convolutions hardly see it.

    Extents are taken at several grey levels, of the brightest and of the darkest pixel of each row
    and column. Lengths are in units of the image's side.

    Reference:
        moments: Hu, 1962, "Visual pattern recognition by moment invariants"
    """

    def measure(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Returns margins, extents and moments."""
        measured = []
        for axis in (2, 1):
            for sign in (1.0, -1.0):
                profile = tf.reduce_max(sign * images, axis=axis)
                measured.append(_margins(profile, sign * (tf.constant(_EDGES) / 127.5 - 1)))
        # (batch, channels, 44, 2): margins before and after; what they leave is the extent.
        margins = tf.concat(measured, axis=2)
        extents = 1 - tf.reduce_sum(margins, axis=-1)
        down, across = tf.split(extents, 2, axis=2)
        parts = [margins, extents, tf.maximum(down, across), tf.minimum(down, across)]
        return [*parts, _moments((1 + images) / 2), _moments((1 - images) / 2)]


@keras.saving.register_keras_serializable(package="dcgan")
class Levels(ImageStatistic):
    """Counts how many pixels of an image have which grey levels, finest at black and white.

    Whatever digitised or encoded an image leaves its own set of levels, such as a white that is 253 in
    one image and 254 in another; a generator's levels are those of its last activation. The counts are
    logarithms and have no gradient.
    """

    def measure(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Returns the counts."""
        levels = tf.constant(_BINS) / 127.5 - 1
        # Whole numbers, whose sums and differences are exact in whatever order they are taken.
        is_below = tf.cast(images[..., tf.newaxis] < levels, tf.float32)
        below = tf.pad(tf.reduce_sum(is_below, axis=(1, 2)), [[0, 0], [0, 0], [1, 0]])
        size = float(images.shape[1] * images.shape[2])
        above = tf.concat([below[..., 1:], tf.fill(tf.shape(below[..., :1]), size)], -1)
        return [tf.math.log1p(above - below)]


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
