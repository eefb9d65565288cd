"""Reals rebuilt by small networks: autoencoders of several bottlenecks and up-samplers, and denoisers.

The content and pose of such fakes are those of reals, so a detector learns what a decoder leaves behind
and not what it draws.
"""

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcgan import data, images
from dcgan.data.indexed_images import Images
from dcgan.detector.fakes.fake_pool import Fakes

_WIDTHS = (16, 32)
_BATCH = 64
_LEARNING_RATE = 2e-3


@dataclasses.dataclass(frozen=True)
class Rebuilder:
    """One network that rebuilds reals.

    Attributes:
        upsampling: "transpose", "nearest", "bilinear" or "shuffle" (channels become pixels).
        code: Channels of the coarsest feature map, or the length of a vector if `flat`.
        flat: Whether the code is a vector.
        noise: Lowest and highest standard deviation of the noise to be removed, for images in -1 to 1;
            None for a plain autoencoder.
    """

    upsampling: str
    code: int
    flat: bool = False
    noise: tuple[float, float] | None = None

    @property
    def family(self) -> str:
        """The kind of generator it resembles."""
        return "denoiser" if self.noise else "autoencoder"

    @property
    def name(self) -> str:
        """The generator's name in the pool."""
        return f"{self.family}-{self.upsampling}-{self.code}"


REBUILDERS = (
    Rebuilder("transpose", 2),
    Rebuilder("nearest", 4),
    Rebuilder("bilinear", 3),
    Rebuilder("shuffle", 32, flat=True),
    Rebuilder("bilinear", 32, noise=(0.2, 1.5)),
    Rebuilder("transpose", 48, noise=(0.1, 1.0)),
)


def rebuild(
    reals: Images,
    *,
    count: int,
    steps: int,
    seed: int = 0,
    rebuilders: tuple[Rebuilder, ...] = REBUILDERS,
    callback: keras.callbacks.Callback,
) -> list[Fakes]:
    """Trains all rebuilders together and has each rebuild reals of its own.

    Args:
        reals: Shape (images, size, size, channels), uint8.
        count: How many fakes in all.
        steps: Training steps.
        seed: Seed of weights, order and noise. Defaults to 0.
        rebuilders: Defaults to `REBUILDERS`.
        callback: Called by `fit`.

    Returns:
        The fakes of each rebuilder.
    """
    workshop = _Workshop(rebuilders, reals.shape[1:], seed=seed)
    rising = max(1, steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rising), warmup_target=_LEARNING_RATE, warmup_steps=rising
    )
    workshop.compile(keras.optimizers.Adam(rate))
    workshop.fit(
        data.batches(reals, min(_BATCH, len(reals)), seed=seed, repeat=True),
        steps_per_epoch=steps,
        callbacks=[callback],
        verbose=0,
        shuffle=False,
    )
    rng = np.random.default_rng(seed)
    each = count // len(rebuilders)
    fakes = []
    for index, rebuilder in enumerate(rebuilders):
        chosen = reals[rng.choice(len(reals), each, each > len(reals))]
        fakes.append(Fakes(rebuilder.name, rebuilder.family, workshop.rebuild(index, chosen)))
    return fakes


class _Workshop(keras.Model):
    """Several rebuilders that learn from the same batches."""

    def __init__(
        self, rebuilders: tuple[Rebuilder, ...], image_shape: tuple[int, int, int], *, seed: int
    ) -> None:
        super().__init__()
        self.rebuilders = rebuilders
        self.networks = [
            _build(rebuilder, image_shape, seed=100 * seed + index)
            for index, rebuilder in enumerate(rebuilders)
        ]
        self.noise = keras.random.SeedGenerator(seed)

    def train_step(self, reals: tf.Tensor) -> dict[str, tf.Tensor]:
        # Pixels are taken as shares of white. A squared error would lose sight of the few bright pixels
        # of dark images, where an output that has saturated has no gradient.
        shares = (reals + 1) / 2
        with tf.GradientTape() as tape:
            loss = tf.zeros(())
            for rebuilder, network in zip(self.rebuilders, self.networks, strict=True):
                logits = network(self.disturb(rebuilder, reals), training=True)
                loss += tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(shares, logits))
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        return {"loss": loss}

    def rebuild(self, index: int, reals: Images) -> np.ndarray:
        """Rebuilds uint8 images by the network of that index."""
        rebuilder, network = self.rebuilders[index], self.networks[index]
        built = []
        for start in range(0, len(reals), 512):
            batch = tf.constant(images.to_float(reals[start : start + 512]))
            logits = network(self.disturb(rebuilder, batch), training=False)
            built.append(images.to_uint8(tf.tanh(logits / 2).numpy()))
        return np.concatenate(built)

    def disturb(self, rebuilder: Rebuilder, reals: tf.Tensor) -> tf.Tensor:
        """Adds a denoiser's noise, of another strength for each image."""
        if rebuilder.noise is None:
            return reals
        low, high = rebuilder.noise
        shape = (tf.shape(reals)[0], 1, 1, 1)
        strength = tf.random.stateless_uniform(shape, self.noise.next())
        deviation = low * (high / low) ** strength
        return reals + deviation * tf.random.stateless_normal(tf.shape(reals), self.noise.next())


def _build(rebuilder: Rebuilder, image_shape: tuple[int, int, int], *, seed: int) -> keras.Model:
    seeds = iter(range(1000 * seed, 1000 * (seed + 1)))
    x = inputs = keras.Input(image_shape)
    for width in _WIDTHS:
        x = _convolve(x, width, next(seeds), strides=2)
        x = _convolve(x, width, next(seeds))
    x = _squeeze(x, rebuilder, seeds)
    x = _convolve(x, _WIDTHS[1], next(seeds))
    x = _upsample(x, _WIDTHS[0], rebuilder.upsampling, next(seeds))
    x = keras.layers.LeakyReLU(0.2)(x)
    x = _convolve(x, _WIDTHS[0], next(seeds))
    return keras.Model(inputs, _upsample(x, image_shape[-1], rebuilder.upsampling, next(seeds)))


def _squeeze(x: Any, rebuilder: Rebuilder, seeds: Any) -> Any:
    if not rebuilder.flat:
        return _convolve(x, rebuilder.code, next(seeds), kernel_size=1)
    init, grid = keras.initializers.GlorotUniform, x.shape[1:]
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(rebuilder.code, kernel_initializer=init(next(seeds)))(x)
    x = keras.layers.Dense(int(np.prod(grid)), "relu", kernel_initializer=init(next(seeds)))(x)
    return keras.layers.Reshape(grid)(x)


def _convolve(x: Any, width: int, seed: int, *, kernel_size: int = 3, strides: int = 1) -> Any:
    init = keras.initializers.HeNormal(seed)
    x = keras.layers.Conv2D(width, kernel_size, strides, "same", kernel_initializer=init)(x)
    return keras.layers.LeakyReLU(0.2)(x)


def _upsample(x: Any, width: int, upsampling: str, seed: int) -> Any:
    """Doubles the size and convolves to `width` channels."""
    init = keras.initializers.GlorotUniform(seed)
    if upsampling == "transpose":
        return keras.layers.Conv2DTranspose(width, 4, 2, "same", kernel_initializer=init)(x)
    if upsampling == "shuffle":
        x = keras.layers.Conv2D(4 * width, 3, padding="same", kernel_initializer=init)(x)
        return keras.layers.Lambda(lambda y: tf.nn.depth_to_space(y, 2))(x)
    x = keras.layers.UpSampling2D(2, interpolation=upsampling)(x)
    return keras.layers.Conv2D(width, 3, padding="same", kernel_initializer=init)(x)
