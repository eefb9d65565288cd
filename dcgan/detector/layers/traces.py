"""What a classifier sees first: an image, and what is faint in it, amplified."""

from typing import Any

import keras

# One grey level, for images in -1 to 1.
_LEVEL = 2 / 255


@keras.saving.register_keras_serializable(package="dcgan")
class Traces(keras.layers.Layer):
    """Brings out what a generator leaves in an image: differences of a grey level or two.

    Besides the image, the output holds its high frequencies, the same with small values amplified, and
    the grey levels with both ends stretched, which a generator's hyperbolic tangent has compressed.
    Every output depends on a neighbourhood of 3x3 pixels only, not on how an image is framed. It is
    computed in float32 under every dtype policy, since grey levels merge in less.

    Args:
        gain: Factor of the amplified high frequencies, above 0. Defaults to 20: one grey level becomes
            0.16.

    Reference:
        truncated residuals: [Fridrich and Kodovsky, 2012](https://doi.org/10.1109/TIFS.2012.2190402)
    """

    def __init__(self, gain: float = 20.0, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.gain = gain

    def call(self, images: Any) -> Any:
        """Maps (batch, height, width, channels), float, -1 to 1, to four times the channels."""
        images = keras.ops.cast(images, "float32")
        residual = _residual(images)
        amplified = keras.ops.tanh(self.gain * residual)
        inside = 1 - _LEVEL / 2
        clipped = keras.ops.clip(images, -inside, inside)
        # The inverse hyperbolic tangent, for which other runtimes have no operation.
        stretched = keras.ops.log((1 + clipped) / (1 - clipped)) / 6
        traces = keras.ops.concatenate([images, residual, amplified, stretched], axis=-1)
        return keras.ops.cast(traces, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, height, width, 4 * channels)."""
        return *input_shape[:-1], 4 * int(input_shape[-1] or 0)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "gain": self.gain}


@keras.saving.register_keras_serializable(package="dcgan")
class ClippedTraces(keras.layers.Layer):
    """Brings out what a generator leaves in a photograph, without its lowest and highest grey level.

    Both are missing from many published samples, whose sheets have lost them: they would be evidence of
    how a sample was saved. The output holds the image clipped by one grey level at both ends, four
    times its high frequencies, and the same with small values amplified, as in `Traces`. It is
    computed in float32 under every dtype policy.

    Args:
        gain: Factor of the amplified high frequencies, above 0. Defaults to 20.
    """

    def __init__(self, gain: float = 20.0, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.gain = gain

    def call(self, images: Any) -> Any:
        """Maps (batch, height, width, channels), float, -1 to 1, to three times the channels."""
        inside = 1 - _LEVEL
        clipped = keras.ops.clip(keras.ops.cast(images, "float32"), -inside, inside)
        residual = _residual(clipped)
        amplified = keras.ops.tanh(self.gain * residual)
        traces = keras.ops.concatenate([clipped, 4 * residual, amplified], axis=-1)
        return keras.ops.cast(traces, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, height, width, 3 * channels)."""
        return *input_shape[:-1], 3 * int(input_shape[-1] or 0)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "gain": self.gain}


def _residual(images: Any) -> Any:
    """The high frequencies: each pixel less the mean of its neighbourhood of 3x3."""
    return images - keras.ops.average_pool(images, 3, 1, padding="same")
