"""How an image's content lies in its frame: extents and moments, as a network's input."""

from typing import Any

import keras
import tensorflow as tf

# Grey levels of the 8-bit images; halves, so that no pixel lies on one.
_LEVELS = (15.5, 39.5, 79.5, 127.5, 191.5)
# One grey level is 1 / 127.5: a step of about ten levels, which still has a gradient.
_STEEPNESS = 60.0


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
                measured += [_margins(profile, sign * (level / 127.5 - 1)) for level in _LEVELS]
        # (batch, channels, 20, 2): margins before and after; what they leave is the extent.
        margins = tf.stack(measured, axis=2)
        extents = 1 - tf.reduce_sum(margins, axis=-1)
        down, across = tf.split(extents, 2, axis=2)
        parts = [margins, extents, tf.maximum(down, across), tf.minimum(down, across)]
        parts += [_moments((1 + images) / 2), _moments((1 - images) / 2)]
        return tf.concat([tf.reshape(part, (-1, _size(part))) for part in parts], axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Returns (batch, length)."""
        levels = 2 * len(_LEVELS)
        each = 2 * levels * 2 + 2 * levels + 2 * levels + 2 * 6
        return input_shape[0], each * int(input_shape[-1] or 0)


def _margins(profile: tf.Tensor, level: float) -> tf.Tensor:
    """Returns the shares of a profile before its first and after its last value above a level.

    Args:
        profile: Shape (batch, length, channels).
        level: The level.

    Returns:
        Shape (batch, channels, 2).
    """
    below = tf.sigmoid(_STEEPNESS * (level - profile))
    before = tf.reduce_mean(tf.math.cumprod(below, axis=1), axis=1)
    after = tf.reduce_mean(tf.math.cumprod(below, axis=1, reverse=True), axis=1)
    return tf.stack([before, after], axis=-1)


def _moments(weights: tf.Tensor) -> tf.Tensor:
    """Returns mean weight, centroid, variances and covariance, shape (batch, channels, 6)."""
    down = tf.linspace(-0.5, 0.5, weights.shape[1])[:, tf.newaxis, tf.newaxis]
    across = tf.linspace(-0.5, 0.5, weights.shape[2])[:, tf.newaxis]
    mass = tf.reduce_mean(weights, axis=(1, 2))

    def mean(values: Any) -> tf.Tensor:
        return tf.reduce_mean(weights * values, axis=(1, 2)) / (mass + 1e-6)

    y, x = mean(down), mean(across)
    spread = [mean(down**2) - y**2, mean(across**2) - x**2, mean(down * across) - y * x]
    return tf.stack([mass, y, x, *spread], axis=-1)


def _size(part: tf.Tensor) -> int:
    return int(part.shape[1:].num_elements())
