"""The network that tells fakes from reals."""

import keras

from dcgan.detector.layers.residual_layers import EXACT, ResidualLayers
from dcgan.detector.layers.traces import Traces

_COARSEST = 8
_DROPOUT = 0.1


def build_classifier(
    image_shape: tuple[int, int, int], *, width: int = 32, precision: str = EXACT, seed: int = 0
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
    make = ResidualLayers(precision, seed=seed)
    images = keras.Input(image_shape, name="images")
    x = Traces(dtype=EXACT, name="traces")(images)
    channels = width
    x = make.block(make.convolution(x, channels, kernel_size=4, strides=2), channels)
    while min(x.shape[1:3]) > _COARSEST:
        channels = min(2 * channels, 4 * width)
        x = make.block(make.convolution(x, channels, kernel_size=4, strides=2), channels)
    x = make.convolution(x, min(2 * channels, 4 * width), kernel_size=3, strides=2)
    x = keras.layers.Flatten(dtype=EXACT)(x)
    x = keras.layers.Dropout(_DROPOUT, seed=make.next_seed(), dtype=EXACT)(x)
    return keras.Model(images, make.logits(x), name="classifier")
