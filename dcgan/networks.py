"""The generator and the discriminator, built from a `NetworkConfig`.

Reference:
    - [Radford et al., 2016](https://arxiv.org/abs/1511.06434)
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from dcgan import layers
from dcgan.config import NetworkConfig

_INITIALIZERS: dict[str, Callable[[int], keras.initializers.Initializer]] = {
    "glorot_uniform": keras.initializers.GlorotUniform,
    "he_normal": keras.initializers.HeNormal,
    "normal": lambda seed: keras.initializers.RandomNormal(stddev=0.02, seed=seed),
}


def build_generator(config: NetworkConfig, *, precision: str = "float32", seed: int = 0) -> keras.Model:
    """Builds the network that turns latents into images.

    A dense stem at the coarsest size, with a dense layer before it if `mapping_units` says so, then one
    up-sampling convolution for each of `config.sizes`, smoothed if `smoothing` says so, and
    `generator_blocks` residual convolutions.

    Args:
        config: The shape.
        precision: Keras's dtype policy of the hidden layers. Defaults to "float32".
        seed: Seed of the initial weights. Defaults to 0.

    Returns:
        A model from (batch, latent_dim) float32 to (batch, image_size, image_size, channels) float32
        in -1 to 1. With `classes` it has a second input, labels of shape (batch,), int32.

    Example:
        >>> generator = dcgan.networks.build_generator(dcgan.NetworkConfig(image_size=32, channels=3))
        >>> generator(np.zeros((1, 100), np.float32)).shape
        TensorShape([1, 32, 32, 3])
    """
    make = _LayerFactory(config, norm=config.generator_norm, precision=precision, seed=seed)
    coarsest, *sizes = reversed(config.sizes)
    if config.stem_convolution:
        sizes = [coarsest, *sizes]
    widths = [min(config.max_width, config.generator_width << level) for level in range(len(sizes))]
    latents = keras.Input((config.latent_dim,), name="latents")
    inputs, x = (latents, latents) if not config.classes else _with_labels(latents, make)
    if config.mapping_units:
        x = make.dense(config.mapping_units, name="mapping")(x)
        x = make.activate(x, name="mapping")
    x = make.dense(coarsest * coarsest * widths[-1], name="stem")(x)
    x = make.activate(x, name="stem")
    x = keras.layers.Reshape((coarsest, coarsest, widths[-1]), dtype=precision)(x)
    for index, (size, width) in enumerate(zip(sizes[:-1], widths[-2::-1], strict=True)):
        x = make.upsample(x, width, size=size, name=f"up_{index}")
        x = make.activate(x, name=f"up_{index}")
        for block in range(config.generator_blocks):
            x = make.add_residual(x, name=f"block_{index}_{block}")
    x = make.upsample(x, config.channels, size=config.image_size, name="to_image")
    images = keras.layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(inputs, images, name="generator")


def build_discriminator(
    config: NetworkConfig, *, precision: str = "float32", seed: int = 0
) -> keras.Model:
    """Builds the network that turns images into logits, positive for real.

    One stride-2 convolution for each of `config.sizes` but the first, then one dense unit, with a dense
    layer before it if `head_units` says so.

    Args:
        config: The shape.
        precision: Keras's dtype policy of the hidden layers. Defaults to "float32".
        seed: Seed of the initial weights and of dropout. Defaults to 0.

    Returns:
        A model from (batch, image_size, image_size, channels) float32 in -1 to 1 to (batch, 1) float32.

    Example:
        >>> discriminator = dcgan.networks.build_discriminator(dcgan.NetworkConfig())
        >>> discriminator(dcgan.images.to_float(images[:2])).shape
        TensorShape([2, 1])
    """
    make = _LayerFactory(config, norm=config.discriminator_norm, precision=precision, seed=seed)
    shape = (config.image_size, config.image_size, config.channels)
    x = images = keras.Input(shape, name="images")
    for level in range(len(config.sizes) - 1):
        width = min(config.max_width, config.discriminator_width << level)
        # A batch-normalized first layer loses the images' contrast, so that layer goes without.
        normalize = make.norm == "batch" and level > 0
        x = make.convolution(width, strides=2, use_bias=not normalize, name=f"down_{level}")(x)
        x = make.activate(x, normalize=normalize, name=f"down_{level}")
        if config.dropout:
            x = layers.ReplicaDropout(
                config.dropout, seed=make.next_seed(), dtype=precision, name=f"dropout_{level}"
            )(x)
    x = keras.layers.Flatten(dtype=precision)(x)
    if config.head_units:
        x = make.dense(config.head_units, use_bias=True, name="head")(x)
        x = make.activate(x, normalize=False, name="head")
    # Logits, and so the losses, are computed in float32 whatever the policy.
    logits = make.dense(1, use_bias=True, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="discriminator")


def _with_labels(latents: Any, make: "_LayerFactory") -> tuple[list[Any], Any]:
    """Returns both inputs of a conditional generator, and the latents beside as wide an embedding."""
    config = make.config
    labels = keras.Input((), dtype="int32", name="labels")
    embed = keras.layers.Embedding(
        config.classes,
        config.latent_dim,
        # Vectors of length 1: as long as latents are, they made short trainings worse.
        embeddings_initializer=keras.initializers.RandomNormal(
            stddev=config.latent_dim**-0.5, seed=make.next_seed()
        ),
        dtype=make.precision,
        name="class_embedding",
    )
    join = keras.layers.Concatenate(dtype=make.precision, name="latents_and_class")
    return [latents, labels], join([latents, embed(labels)])


class _LayerFactory:
    """Makes the layers of one network, each with a seed of its own."""

    def __init__(self, config: NetworkConfig, *, norm: str, precision: str, seed: int) -> None:
        self.config = config
        self.norm = norm
        self.precision = precision
        self._seeds = iter(range(seed * 1000, (seed + 1) * 1000))
        self._synchronized = tf.distribute.get_strategy().num_replicas_in_sync > 1

    def next_seed(self) -> int:
        return next(self._seeds)

    def dense(self, units: int, **options: Any) -> keras.layers.Layer:
        return keras.layers.Dense(units, **self._options(options))

    def convolution(self, width: int, *, transpose: bool = False, **options: Any) -> keras.layers.Layer:
        kind = keras.layers.Conv2DTranspose if transpose else keras.layers.Conv2D
        return kind(
            width,
            **{"kernel_size": self.config.kernel_size, "padding": "same", **self._options(options)},
        )

    def upsample(self, x: Any, width: int, *, size: int, name: str) -> Any:
        """Convolves to `width` channels at `size` pixels a side, the former or about twice as many."""
        stride = 1 if x.shape[1] == size else 2
        options = {"dtype": self.precision}
        if self.config.upsampling == "transpose":
            x = self.convolution(width, transpose=True, strides=stride, name=name)(x)
        else:
            if stride > 1:
                x = keras.layers.UpSampling2D(
                    stride, interpolation=self.config.upsampling, name=f"{name}_resize", **options
                )(x)
            x = self.convolution(width, name=name)(x)
        if stride > 1 and self.config.smoothing:
            x = layers.Smoothing(name=f"{name}_smooth", **options)(x)
        if (beyond := x.shape[1] - size) > 0:
            x = keras.layers.Cropping2D(((0, beyond), (0, beyond)), name=f"{name}_crop", **options)(x)
        return x

    def add_residual(self, x: Any, *, name: str) -> Any:
        """Adds what a convolution makes of the activated features."""
        change = self.convolution(x.shape[-1], kernel_size=3, use_bias=True, name=name)(
            self.activate(x, name=name)
        )
        return keras.layers.Add(dtype=self.precision, name=f"{name}_add")([x, change])

    def activate(self, x: Any, *, name: str, normalize: bool | None = None) -> Any:
        """Batch-normalizes, where the network does, and rectifies."""
        if self.norm == "batch" if normalize is None else normalize:
            x = layers.FusedBatchNormalization(
                momentum=self.config.norm_momentum,
                synchronized=self._synchronized,
                dtype=self.precision,
                name=f"{name}_norm",
            )(x)
        return keras.layers.LeakyReLU(
            self.config.negative_slope, dtype=self.precision, name=f"{name}_relu"
        )(x)

    def _options(self, given: dict[str, Any]) -> dict[str, Any]:
        """Adds what convolutions and dense layers have in common."""
        seed = self.next_seed()
        common = {"use_bias": self.norm == "none", "dtype": self.precision}
        initializer = _INITIALIZERS[self.config.initializer](seed)
        return {**common, "kernel_initializer": initializer, **given}
