"""A small network that tells a detector's kind of image from others, and the p-value of its answer."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcgan.layers import FusedBatchNormalization

_WIDTHS = (16, 32, 64)
_SMALLEST_SIDE = 4
_UNITS = 64
_SLOPE = 0.1
_MOMENTUM = 0.97
_EXACT = "float32"
# One less than a power of two: the p-values at its entries are exact in binary.
_ENTRIES = 1_023
# Stands in a table for a score that nothing reaches.
_NEVER = 1e30
_STRANGENESS, _P_VALUES = "strangeness", "p_values"


@keras.saving.register_keras_serializable(package="dcgan")
class ConformalPValue(keras.layers.Layer):
    """Turns strangeness into a p-value: the share of known images that are at least as strange.

    For n known images, the conformal p-value of another is
    (1 + #{known images at least as strange}) / (n + 1). If it is exchangeable with the known ones, its
    p-value is at most a with a probability of at most a. Several sets of known images each give a
    p-value, of which the largest counts: an image is unfamiliar only if it is unlike all of them.

    Each set is stored as 1,023 of its quantiles, between which the p-value is interpolated, so that
    rounding errors of the network change it only a little. It is never below the exact p-value, and
    at most 1 / 512 above it. Before `calibrate`, and for a set without images, it is 1.

    Args:
        sets: How many sets of known images there are. Defaults to 1.
        **kwargs: Passed to `keras.layers.Layer`.

    Reference:
        [Bates et al., 2023](https://arxiv.org/abs/2104.08279)
    """

    def __init__(self, sets: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sets = sets
        self.quantiles = self.add_weight(
            name="quantiles",
            shape=(sets, _ENTRIES),
            initializer=keras.initializers.Constant(_NEVER),
            trainable=False,
        )

    def calibrate(self, strangeness: np.ndarray, *, which: int = 0) -> None:
        """Replaces one set of known images.

        Args:
            strangeness: Shape (count,), float; any count.
            which: The set's number. Defaults to 0.
        """
        quantiles = self.quantiles.numpy()
        count = len(strangeness)
        ranks = np.ceil(np.arange(1, _ENTRIES + 1) * (count + 1) / (_ENTRIES + 1)).astype(int)
        quantiles[which] = np.append(np.sort(strangeness), _NEVER)[ranks - 1]
        self.quantiles.assign(quantiles)

    def call(self, strangeness: tf.Tensor) -> tf.Tensor:
        """Returns p-values.

        Args:
            strangeness: Shape (batch, 1), float32.

        Returns:
            Shape (batch,), float32, above 0 and at most 1.
        """
        flat = tf.reshape(strangeness, (-1,))
        values = [_p_values(known, flat) for known in tf.unstack(self.quantiles.value)]
        return tf.reduce_max(tf.stack(values), axis=0)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch,)."""
        return input_shape[:1]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "sets": self.sets}


def build(image_shape: tuple[int, int, int], *, seed: int = 0) -> keras.Model:
    """Builds the untrained network, whose p-values are all 1 until it is calibrated.

    Args:
        image_shape: (height, width, channels).
        seed: Seed of the initial weights. Defaults to 0.

    Returns:
        A model from images, shape (batch, height, width, channels), float32, -1 to 1, to p-values, shape
        (batch,), float32: near 0 for images unlike both the reals (its set 0) and the fakes (set 1).
    """
    seeds = iter(range(1_000 * seed, 1_000 * (seed + 1)))

    def normal() -> keras.initializers.Initializer:
        return keras.initializers.HeNormal(next(seeds))

    x = images = keras.Input(image_shape, dtype=_EXACT)
    for level in range(max(1, math.ceil(math.log2(min(image_shape[:2]) / _SMALLEST_SIDE)))):
        width = _WIDTHS[min(level, len(_WIDTHS) - 1)]
        x = keras.layers.Conv2D(
            width, 4, 2, "same", use_bias=False, kernel_initializer=normal(), dtype=_EXACT
        )(x)
        x = FusedBatchNormalization(momentum=_MOMENTUM, dtype=_EXACT)(x)
        x = keras.layers.LeakyReLU(_SLOPE, dtype=_EXACT)(x)
    x = keras.layers.Flatten(dtype=_EXACT)(x)
    x = keras.layers.Dense(_UNITS, "relu", kernel_initializer=normal(), dtype=_EXACT)(x)
    x = keras.layers.Dense(1, kernel_initializer=normal(), name=_STRANGENESS, dtype=_EXACT)(x)
    x = ConformalPValue(sets=2, name=_P_VALUES, dtype=_EXACT)(x)
    return keras.Model(images, x, name="familiarity")


def strangeness(model: keras.Model) -> keras.Model:
    """Returns what `build` built up to its logits, shape (batch, 1), higher for the unfamiliar."""
    return keras.Model(model.input, model.get_layer(_STRANGENESS).output)


def p_values(model: keras.Model) -> ConformalPValue:
    """Returns the last layer of what `build` built."""
    return model.get_layer(_P_VALUES)


def _p_values(known: tf.Tensor, strangeness: tf.Tensor) -> tf.Tensor:
    """The p-value at entry j, from 1, is (k + 2 - j) / (k + 1), the next larger one, for k entries."""
    # Counted, not searched for: other runtimes have no operation for the latter.
    below = tf.math.count_nonzero(known < strangeness[:, tf.newaxis], axis=1, dtype=tf.int32)
    low = tf.gather(known, tf.maximum(below - 1, 0))
    high = tf.gather(tf.pad(known, [[0, 1]], constant_values=2 * _NEVER), below)
    passed = tf.math.divide_no_nan(strangeness - low, high - low)
    count = float(_ENTRIES)
    inner = (count + 2.0 - tf.cast(below, tf.float32) - passed) / (count + 1.0)
    # Compared so that NaN is as strange as can be.
    inner = tf.maximum(0.0, inner)
    return tf.where(strangeness > known[0], inner, tf.where(strangeness <= known[0], 1.0, 0.0))
