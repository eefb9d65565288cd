"""The network that a colour detector starts from."""

import keras

from dcgan.detector.layers.residual_layers import EXACT, ResidualLayers
from dcgan.detector.layers.traces import ClippedTraces

_DROPOUT = 0.2
# Channels in shares of the width, at half the image's size and at a quarter.
_STAGES = (2, 4)


def build_start_network(
    image_shape: tuple[int, int, int],
    *,
    width: int = 32,
    dropout: float = _DROPOUT,
    precision: str = EXACT,
    seed: int = 0,
    name: str = "start",
) -> keras.Model:
    """Builds a residual network on `ClippedTraces` that knows nothing of an image's size or framing.

    Its weights fit images of every size. From the first layer to the last it looks at neighbourhoods,
    and the logit is one of their mean.

    Args:
        image_shape: (height, width, channels).
        width: Channels at the image's own size; four times as many at a quarter of it. Defaults to 32.
        dropout: Share of features that training drops. Defaults to 0.2.
        precision: Keras's dtype policy of the convolutions, see `fake_classifier.build_classifier`.
            Defaults to "float32".
        seed: Seed of the initial weights and of dropout. Defaults to 0.
        name: The model's name. Defaults to "start".

    Returns:
        A model from images, float32, -1 to 1, to (batch, 1) logits, float32, higher for fakes.
    """
    make = ResidualLayers(precision, seed=seed)
    images = keras.Input(image_shape, name="images")
    x = ClippedTraces(dtype=EXACT, name="traces")(images)
    x = make.convolution(x, width, kernel_size=3)
    for factor in _STAGES:
        channels = factor * width
        x = make.block(make.convolution(x, channels, kernel_size=4, strides=2), channels)
    x = keras.layers.GlobalAveragePooling2D(dtype=EXACT, name="mean")(x)
    x = keras.layers.Dropout(dropout, seed=make.next_seed(), dtype=EXACT, name="dropout")(x)
    return keras.Model(images, make.logits(x), name=name)
