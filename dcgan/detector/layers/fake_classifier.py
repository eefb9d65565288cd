"""The network that tells fakes from reals."""

from typing import Any

import keras

from dcgan.detector.layers.traces import Traces
from dcgan.layers import FusedBatchNormalization

_COARSEST = 8
_DROPOUT = 0.1
_MOMENTUM = 0.98
# What is left of values below 0, so that no channel falls silent for good.
_SLOPE = 0.1
# Whatever the global policy is: in less, an image's score depends on its batch.
_EXACT = "float32"


def build_classifier(
    image_shape: tuple[int, int, int], *, width: int = 32, precision: str = _EXACT, seed: int = 0
) -> keras.Model:
    """Builds the network that tells fakes from reals: a small residual network on `Traces`.

    Args:
        image_shape: (height, width, channels).
        width: Channels at half the image's size. They double with each further halving, up to four
            times as many. Defaults to 32.
        precision: Keras's dtype policy of the convolutions: "float32", or "mixed_bfloat16" to train
            faster where the processor can. Score in float32 with the same weights. Defaults to
            "float32".
        seed: Seed of the initial weights and of dropout. Defaults to 0.

    Returns:
        A model from images, float32, -1 to 1, to (batch, 1) logits, float32, higher for fakes.
    """
    make = _Layers(precision, seed=seed)
    images = keras.Input(image_shape, name="images")
    x = Traces(dtype=_EXACT, name="traces")(images)
    channels = width
    x = make.block(make.convolution(x, channels, kernel_size=4, strides=2), channels)
    while min(x.shape[1:3]) > _COARSEST:
        channels = min(2 * channels, 4 * width)
        x = make.block(make.convolution(x, channels, kernel_size=4, strides=2), channels)
    x = make.convolution(x, min(2 * channels, 4 * width), kernel_size=3, strides=2)
    x = keras.layers.Flatten(dtype=_EXACT)(x)
    x = keras.layers.Dropout(_DROPOUT, seed=make.next_seed(), dtype=_EXACT)(x)
    return keras.Model(images, make.logits(x), name="classifier")


class _Layers:
    """Makes layers, each with a seed of its own; short names keep an export's graph small."""

    def __init__(self, precision: str, *, seed: int) -> None:
        self._precision = precision
        self._seeds = iter(range(1000 * seed, 1000 * (seed + 1)))
        self._count = 0

    def next_seed(self) -> int:
        return next(self._seeds)

    def convolution(self, x: Any, width: int, *, kernel_size: int, strides: int = 1) -> Any:
        x = self._normalised(x, width, kernel_size, strides=strides)
        return keras.layers.LeakyReLU(_SLOPE, dtype=self._precision, name=f"relu{self._count}")(x)

    def block(self, x: Any, width: int) -> Any:
        """Two convolutions beside a shortcut."""
        y = self.convolution(x, width, kernel_size=3)
        y = self._normalised(y, width, 3)
        x = keras.layers.Add(dtype=self._precision)([x, y])
        return keras.layers.LeakyReLU(_SLOPE, dtype=self._precision)(x)

    def logits(self, x: Any) -> Any:
        initializer = keras.initializers.GlorotUniform(self.next_seed())
        return keras.layers.Dense(1, kernel_initializer=initializer, dtype=_EXACT, name="logits")(x)

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
