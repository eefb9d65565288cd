"""The layers that the detector's networks share: normalised convolutions and residual blocks."""

from typing import Any

import keras

from dcgan.layers import FusedBatchNormalization

EXACT = "float32"
"""The precision of scores, whatever the global policy is: in less, they depend on an image's batch."""
_MOMENTUM = 0.98
# What is left of values below 0, so that no channel falls silent for good.
_SLOPE = 0.1


class ResidualLayers:
    """Makes layers, each with a seed of its own; short names keep an export's graph small.

    Args:
        precision: Keras's dtype policy of the convolutions.
        seed: Seed of the initial weights and of dropout.
    """

    def __init__(self, precision: str, *, seed: int) -> None:
        self._precision = precision
        self._seeds = iter(range(1000 * seed, 1000 * (seed + 1)))
        self._count = 0

    def next_seed(self) -> int:
        """Returns a seed that it has not returned before."""
        return next(self._seeds)

    def convolution(self, x: Any, width: int, *, kernel_size: int, strides: int = 1) -> Any:
        """Convolves, normalises and activates."""
        x = self._normalised(x, width, kernel_size, strides=strides)
        return keras.layers.LeakyReLU(_SLOPE, dtype=self._precision, name=f"relu{self._count}")(x)

    def block(self, x: Any, width: int) -> Any:
        """Two convolutions beside a shortcut."""
        y = self.convolution(x, width, kernel_size=3)
        y = self._normalised(y, width, 3)
        x = keras.layers.Add(dtype=self._precision)([x, y])
        return keras.layers.LeakyReLU(_SLOPE, dtype=self._precision)(x)

    def logits(self, x: Any) -> Any:
        """Makes one logit of each image's features, always in float32."""
        initializer = keras.initializers.GlorotUniform(self.next_seed())
        return keras.layers.Dense(1, kernel_initializer=initializer, dtype=EXACT, name="logits")(x)

    def _normalised(self, x: Any, width: int, kernel_size: int, *, strides: int = 1) -> Any:
        initializer = keras.initializers.HeNormal(self.next_seed())
        self._count += 1
        x = keras.layers.Conv2D(
            width,
            kernel_size,
            strides=strides,
            padding="same",
            use_bias=False,
            kernel_initializer=initializer,
            dtype=self._precision,
            name=f"conv{self._count}",
        )(x)
        return FusedBatchNormalization(
            momentum=_MOMENTUM, dtype=self._precision, name=f"norm{self._count}"
        )(x)
