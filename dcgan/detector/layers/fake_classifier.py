"""The detector's two networks: a discriminator's features, and the classifier that uses them."""

from typing import Any

import keras
import numpy as np

from dcgan.detector.layers.image_statistics import Framing, Levels
from dcgan.detector.layers.quantile_encoding import FeatureEmbedding, QuantileEncoding
from dcgan.detector.layers.texture import Texture
from dcgan.layers import FusedBatchNormalization

_COARSEST = 8
_BINS = 32
_UNITS = 128
_DROPOUT = 0.1
_MOMENTUM = 0.98
# What is left of values below 0, so that no channel falls silent for good.
_SLOPE = 0.1
# Whatever the global policy is: in less, an image's score depends on its batch.
_EXACT = "float32"


def build_backbone(discriminator: keras.Model) -> keras.Model:
    """Copies a trained discriminator into a frozen network that also returns its feature maps.

    Args:
        discriminator: A functional or sequential model from (batch, height, width, channels) images
            to (batch, 1) logits. It is left unchanged.

    Returns:
        A float32 model from images to [logits, features, map, ...]: the last layer's input, and the last
        feature map of each size.
    """
    copy = keras.models.clone_model(discriminator, clone_function=_as_float32)
    copy.set_weights(discriminator.get_weights())
    maps: dict[tuple[int, ...], Any] = {}
    for layer in copy.layers:
        output = layer.output
        if not isinstance(layer, keras.layers.InputLayer) and len(output.shape) == 4:
            maps[output.shape[1:3]] = output
    outputs = [copy.outputs[0], copy.layers[-1].input, *maps.values()]
    backbone = keras.Model(copy.inputs[0], outputs, name="discriminator")
    backbone.trainable = False
    return backbone


def build_classifier(
    image_shape: tuple[int, int, int],
    feature_shapes: list[tuple[int, ...]],
    *,
    width: int = 32,
    seed: int = 0,
) -> keras.Model:
    """Builds the network that tells fakes from reals by an image and a discriminator's features.

    A residual network sees the image at full size beside its high frequencies. The discriminator's maps
    join where they have the size of its own. Its last features join at the end, together with statistics
    of the whole image: framing, grey levels and texture. Call `adapt` before training; until then the
    encoding takes statistics to lie between -1 and 1.

    Args:
        image_shape: (height, width, channels).
        feature_shapes: (length,) of the discriminator's last features, then (height, width, channels)
            of each of its maps.
        width: Channels at half the image's size, an even number. There are half as many at full size,
            and they double with each further halving, up to four times as many. Defaults to 32.
        seed: Seed of the initial weights. Defaults to 0.

    Returns:
        A model from [images, features, map, ...], float32, to (batch, 3) logits, higher for fakes: the
        decision's, and, for training, those of the convolutions and of the statistics alone.
    """
    make = _Layers(seed)
    images = keras.Input(image_shape, name="images")
    features, *maps = (keras.Input(shape) for shape in feature_shapes)
    smooth = keras.layers.AveragePooling2D(3, 1, padding="same", dtype=_EXACT)(images)
    residual = keras.layers.Subtract(dtype=_EXACT)([images, smooth])
    x = make.convolution(make.join([images, residual]), width // 2, kernel_size=3)
    while min(x.shape[1:3]) > _COARSEST:
        channels = min(2 * x.shape[-1], 4 * width)
        x = make.convolution(x, channels, kernel_size=4, strides=2)
        joining = [entry for entry in maps if entry.shape[1:3] == x.shape[1:3]]
        if joining:
            x = make.convolution(make.join([x, *joining]), channels, kernel_size=1)
        x = make.block(x, channels)
    x = make.convolution(x, 4 * width, kernel_size=3, strides=2)
    statistics = make.join([layer(dtype=_EXACT)(images) for layer in (Framing, Levels, Texture)])
    encoded = QuantileEncoding(_BINS, dtype=_EXACT, name="encoding")(statistics)
    embedded = FeatureEmbedding(seed=make.next_seed(), dtype=_EXACT)(encoded)
    told = make.dense(make.dense(embedded, _UNITS), _UNITS)
    seen = keras.layers.Flatten(dtype=_EXACT)(x)
    x = make.join([seen, make.dense(features, 2 * width), told])
    x = keras.layers.Dropout(_DROPOUT, seed=make.next_seed(), dtype=_EXACT)(x)
    logits = [make.logits(x, "logits"), make.logits(seen, "logits_of_convolutions")]
    logits.append(make.logits(told, "logits_of_statistics"))
    return keras.Model([images, features, *maps], make.join(logits), name="classifier")


def adapt(classifier: keras.Model, images: np.ndarray) -> None:
    """Shows an untrained classifier which values its statistics take.

    Args:
        classifier: What `build_classifier` returned.
        images: Shape (count, height, width, channels), float32, -1 to 1; some thousands, of both
            classes.
    """
    encoding = classifier.get_layer("encoding")
    statistics = keras.Model(classifier.inputs[0], encoding.input)
    starts = range(0, len(images), 256)
    measured = [statistics(images[start : start + 256]).numpy() for start in starts]
    encoding.adapt(np.concatenate(measured))


class _Layers:
    """Makes layers, each with a seed of its own; short names keep an export's graph small."""

    def __init__(self, seed: int) -> None:
        self._seeds = iter(range(1000 * seed, 1000 * (seed + 1)))
        self._count = 0

    def next_seed(self) -> int:
        return next(self._seeds)

    def join(self, parts: list[Any]) -> Any:
        return keras.layers.Concatenate(dtype=_EXACT)(parts)

    def convolution(self, x: Any, width: int, *, kernel_size: int, strides: int = 1) -> Any:
        x = self._normalised(x, width, kernel_size, strides=strides)
        return keras.layers.LeakyReLU(_SLOPE, dtype=_EXACT, name=f"relu{self._count}")(x)

    def dense(self, x: Any, units: int) -> Any:
        initializer = keras.initializers.HeNormal(self.next_seed())
        return keras.layers.Dense(units, "relu", kernel_initializer=initializer, dtype=_EXACT)(x)

    def logits(self, x: Any, name: str) -> Any:
        initializer = keras.initializers.GlorotUniform(self.next_seed())
        return keras.layers.Dense(1, kernel_initializer=initializer, dtype=_EXACT, name=name)(x)

    def block(self, x: Any, width: int) -> Any:
        """Two convolutions beside a shortcut, which narrows `x` where it is wider."""
        y = self.convolution(x, width, kernel_size=3)
        y = self._normalised(y, width, 3)
        if x.shape[-1] != width:
            x = self._normalised(x, width, 1)
        x = keras.layers.Add(dtype=_EXACT)([x, y])
        return keras.layers.LeakyReLU(_SLOPE, dtype=_EXACT)(x)

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
            dtype=_EXACT,
            name=f"conv{self._count}",
        )(x)
        return FusedBatchNormalization(momentum=_MOMENTUM, dtype=_EXACT, name=f"norm{self._count}")(x)


def _as_float32(layer: keras.layers.Layer) -> keras.layers.Layer:
    return type(layer).from_config({**layer.get_config(), "dtype": _EXACT})
