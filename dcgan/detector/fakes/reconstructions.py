"""Reals rebuilt by small networks: several bottlenecks and up-samplers, and denoisers.

Content and pose of such fakes are those of reals, so that a detector learns what a decoder leaves
behind and not what it draws.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcgan import data, images

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
        noise: Standard deviations of the noise that is to be removed, lowest and highest, in units of
            images in -1 to 1; None for a plain autoencoder.
    """

    upsampling: str
    code: int
    flat: bool = False
    noise: tuple[float, float] | None = None

    @property
    def family(self) -> str:
        """Which kind of generator it resembles."""
        return "denoiser" if self.noise else "autoencoder"

    @property
    def name(self) -> str:
        """What its fakes' origin is called."""
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
    rebuilders: tuple[Rebuilder, ...],
    reals: np.ndarray,
    *,
    count: int,
    steps: int,
    seed: int = 0,
    on_step: Callable[[], None] = lambda: None,
) -> dict[Rebuilder, np.ndarray]:
    """Trains all of them together and has each rebuild reals of its own.

    Args:
        rebuilders: Which.
        reals: Shape (images, size, size, channels), uint8.
        count: Fakes of each.
        steps: Training steps.
        seed: Of weights, order and noise. Defaults to 0.
        on_step: Called after each step. Defaults to nothing.

    Returns:
        Fakes by rebuilder, shape (count, size, size, channels), uint8.
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
        callbacks=[
            keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs=None: on_step())
        ],
        verbose=0,
        shuffle=False,
    )
    rng = np.random.default_rng(seed)
    return {
        rebuilder: workshop.rebuild(index, reals[rng.choice(len(reals), count, count > len(reals))])
        for index, rebuilder in enumerate(rebuilders)
    }


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
        self._loss = keras.metrics.Mean(name="loss")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self._loss]

    def train_step(self, reals: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            losses = [
                self._cross_entropy(reals, network(self._disturb(rebuilder, reals), training=True))
                for rebuilder, network in zip(self.rebuilders, self.networks, strict=True)
            ]
            loss = tf.add_n(losses)
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        self._loss.update_state(loss)
        return {"loss": self._loss.result()}

    def rebuild(self, index: int, reals: np.ndarray) -> np.ndarray:
        """Rebuilds uint8 images by the network of that index."""
        rebuilder, network = self.rebuilders[index], self.networks[index]
        built = []
        for start in range(0, len(reals), 512):
            batch = tf.constant(images.to_float(reals[start : start + 512]))
            logits = network(self._disturb(rebuilder, batch), training=False)
            built.append(images.to_uint8(tf.tanh(logits / 2).numpy()))
        return np.concatenate(built)

    def _cross_entropy(self, reals: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Takes pixels as shares of white.

        A squared error would lose sight of the few bright pixels of dark images, where an output that
        has saturated has no gradient.
        """
        shares = (reals + 1) / 2
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=shares, logits=logits))

    def _disturb(self, rebuilder: Rebuilder, reals: tf.Tensor) -> tf.Tensor:
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
    grid = x.shape[1:]
    x = _squeeze(x, rebuilder, grid, seeds)
    x = _convolve(x, _WIDTHS[1], next(seeds))
    x = _upsample(x, _WIDTHS[0], rebuilder.upsampling, next(seeds))
    x = keras.layers.LeakyReLU(0.2)(x)
    x = _convolve(x, _WIDTHS[0], next(seeds))
    return keras.Model(inputs, _upsample(x, image_shape[-1], rebuilder.upsampling, next(seeds)))


def _squeeze(x: Any, rebuilder: Rebuilder, grid: tuple[int, int, int], seeds: Any) -> Any:
    if not rebuilder.flat:
        return _convolve(x, rebuilder.code, next(seeds), kernel_size=1)
    init = keras.initializers.GlorotUniform
    x = keras.layers.Dense(rebuilder.code, kernel_initializer=init(next(seeds)))(
        keras.layers.Flatten()(x)
    )
    x = keras.layers.Dense(int(np.prod(grid)), "relu", kernel_initializer=init(next(seeds)))(x)
    return keras.layers.Reshape(grid)(x)


def _convolve(x: Any, width: int, seed: int, *, kernel_size: int = 3, strides: int = 1) -> Any:
    initializer = keras.initializers.HeNormal(seed)
    x = keras.layers.Conv2D(
        width, kernel_size, strides=strides, padding="same", kernel_initializer=initializer
    )(x)
    return keras.layers.LeakyReLU(0.2)(x)


def _upsample(x: Any, width: int, upsampling: str, seed: int) -> Any:
    """Doubles the size and convolves to `width` channels."""
    initializer = keras.initializers.GlorotUniform(seed)
    if upsampling == "transpose":
        return keras.layers.Conv2DTranspose(
            width, 4, strides=2, padding="same", kernel_initializer=initializer
        )(x)
    if upsampling == "shuffle":
        x = keras.layers.Conv2D(4 * width, 3, padding="same", kernel_initializer=initializer)(x)
        return keras.layers.Lambda(lambda y: tf.nn.depth_to_space(y, 2))(x)
    x = keras.layers.UpSampling2D(2, interpolation=upsampling)(x)
    return keras.layers.Conv2D(width, 3, padding="same", kernel_initializer=initializer)(x)
