"""What is faint in an image, brought out for convolutions to see."""

from typing import Any

import keras

# One grey level, for images in -1 to 1.
_LEVEL = 2 / 255


@keras.saving.register_keras_serializable(package="dcgan")
class Traces(keras.layers.Layer):
    """Adds to an image what a generator leaves in it: steps of a grey level or two.

    Besides the image, the output holds its high frequencies, the same with small values amplified, and
    the grey levels with both ends stretched, which a generator's hyperbolic tangent has compressed.
    Every output depends on a neighbourhood of 3x3 pixels only, not on how an image is framed.

    Args:
        gain: Factor of the amplified high frequencies, above 0. Defaults to 20: one grey level becomes
            0.16.

    Reference:
        truncated residuals: [Fridrich and Kodovsky, 2012](https://doi.org/10.1109/TIFS.2012.2190402)
    """

    def __init__(self, gain: float = 20.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gain = gain

    def call(self, images: Any) -> Any:
        """Maps (batch, height, width, channels), float, -1 to 1, to four times the channels."""
        residual = images - keras.ops.average_pool(images, 3, 1, padding="same")
        amplified = keras.ops.tanh(self.gain * residual)
        inside = 1 - _LEVEL / 2
        stretched = keras.ops.arctanh(keras.ops.clip(images, -inside, inside)) / 3
        return keras.ops.concatenate([images, residual, amplified, stretched], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns (batch, height, width, 4 * channels)."""
        return *input_shape[:-1], 4 * int(input_shape[-1] or 0)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "gain": self.gain}
