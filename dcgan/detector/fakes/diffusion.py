"""A small diffusion model, to test detectors on; no pool has its fakes."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcgan import data, images
from dcgan.data.indexed_images import Images
from dcgan.system import seeds

_FREQUENCIES = 16
_EMA = 0.999
_LATEST = 0.998
_RATE = 1e-3


class Diffusion(keras.Model):
    """Predicts velocity along a cosine schedule; `draw` samples by ancestral steps.

    Args:
        image_shape: (height, width, channels), both multiples of 4.
        width: Channels at full size, a multiple of 3; there are more at smaller sizes.
        seed: Seed of weights, times and noise.

    Reference:
        [Ho et al., 2020](https://arxiv.org/abs/2006.11239);
        velocity: [Salimans and Ho, 2022](https://arxiv.org/abs/2202.00512)
    """

    def __init__(self, image_shape: tuple[int, int, int], *, width: int, seed: int) -> None:
        super().__init__()
        self.image_shape = image_shape
        with seeds.default_seeds(seed):
            self.network = _build(image_shape, width)
            self.average = keras.models.clone_model(self.network)
        self.average.set_weights(self.network.get_weights())
        self.average.trainable = False
        self.random = keras.random.SeedGenerator(seed)

    def train_step(self, reals: tf.Tensor) -> dict[str, tf.Tensor]:
        """Trains on one batch and moves the average."""
        times = tf.random.stateless_uniform((tf.shape(reals)[0], 1), self.random.next())
        noise = tf.random.stateless_normal(tf.shape(reals), self.random.next())
        angles = tf.reshape(times, (-1, 1, 1, 1)) * math.pi / 2
        signal, sigma = tf.cos(angles), tf.sin(angles)
        with tf.GradientTape() as tape:
            velocity = self.network([signal * reals + sigma * noise, times], training=True)
            loss = tf.reduce_mean((velocity - (signal * noise - sigma * reals)) ** 2)
        weights = self.network.trainable_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        step = tf.cast(self.optimizer.iterations, tf.float32)
        rate = 1 - tf.minimum(_EMA, (1 + step) / (10 + step))
        for average, weight in zip(self.average.weights, self.network.weights, strict=True):
            average.assign_add(rate * (weight - average))
        return {"loss": loss}

    def draw(self, count: int, *, steps: int = 50, seed: int = 0, batch_size: int = 250) -> np.ndarray:
        """Draws fakes.

        Args:
            count: How many.
            steps: From noise to image. Defaults to 50.
            seed: Seed of the noise. Defaults to 0.
            batch_size: Fakes at once. Defaults to 250.

        Returns:
            Shape (count, height, width, channels), uint8.
        """
        rng = np.random.default_rng(seed)
        network = tf.function(
            lambda *inputs: self.average(list(inputs), training=False), autograph=False
        )
        parts = [
            self._draw_batch(network, rng, min(batch_size, count - start), steps)
            for start in range(0, count, batch_size)
        ]
        return images.to_uint8(np.concatenate(parts))

    def _draw_batch(
        self, network: Callable[..., tf.Tensor], rng: np.random.Generator, count: int, steps: int
    ) -> np.ndarray:
        noisy = rng.standard_normal((count, *self.image_shape)).astype(np.float32)
        for now, then in itertools.pairwise(np.linspace(_LATEST, 0, steps + 1).tolist()):
            signal, sigma = math.cos(now * math.pi / 2), math.sin(now * math.pi / 2)
            next_signal, next_sigma = math.cos(then * math.pi / 2), math.sin(then * math.pi / 2)
            velocity = network(noisy, np.full((count, 1), now, np.float32)).numpy()
            clean = np.clip(signal * noisy - sigma * velocity, -1, 1)
            noise = (noisy - signal * clean) / sigma
            fresh = next_sigma / sigma * math.sqrt(max(0.0, 1 - (signal / next_signal) ** 2))
            kept = math.sqrt(max(0.0, next_sigma**2 - fresh**2))
            drawn = rng.standard_normal(noisy.shape).astype(np.float32)
            noisy = next_signal * clean + kept * noise + fresh * drawn
        return noisy


def draw(
    reals: Images,
    *,
    count: int,
    steps: int,
    width: int = 24,
    batch_size: int = 128,
    drawing_steps: int = 50,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> np.ndarray:
    """Trains a diffusion model and draws from it.

    Args:
        reals: Shape (images, height, width, channels), uint8; both sides are multiples of 4.
        count: How many fakes.
        steps: Training steps.
        width: See `Diffusion`. Defaults to 24.
        batch_size: Reals a step. Defaults to 128.
        drawing_steps: From noise to image. Defaults to 50.
        seed: Seed of everything random. Defaults to 0.
        callbacks: Called by `fit`. Defaults to none.

    Returns:
        Shape (count, height, width, channels), uint8.
    """
    model = Diffusion(reals.shape[1:], width=width, seed=seed)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(_RATE, steps)))
    model.fit(
        data.batches(reals, min(batch_size, len(reals)), seed=seed, repeat=True),
        steps_per_epoch=steps,
        callbacks=list(callbacks),
        verbose=0,
        shuffle=False,
    )
    return model.draw(count, steps=drawing_steps, seed=seed)


def _build(image_shape: tuple[int, int, int], width: int) -> keras.Model:
    middle_width, coarse_width = 7 * width // 3, 4 * width
    noisy, times = keras.Input(image_shape), keras.Input((1,))
    frequencies = 2 * np.pi * np.exp(np.linspace(0, np.log(50), _FREQUENCIES)).astype(np.float32)
    waves = keras.ops.concatenate(
        [keras.ops.sin(times * frequencies), keras.ops.cos(times * frequencies)], -1
    )
    time = keras.layers.Dense(coarse_width, "swish")(keras.layers.Dense(coarse_width, "swish")(waves))
    fine = keras.layers.Conv2D(width, 3, padding="same")(noisy)
    middle = _block(keras.layers.Conv2D(middle_width, 3, 2, "same")(fine), time, middle_width)
    coarse = _block(keras.layers.Conv2D(coarse_width, 3, 2, "same")(middle), time, coarse_width)
    coarse = _block(coarse, time, coarse_width)
    up = keras.layers.Conv2DTranspose(middle_width, 4, 2, "same")(coarse)
    up = _block(keras.layers.Concatenate()([up, middle]), time, middle_width)
    up = keras.layers.Conv2DTranspose(width, 4, 2, "same")(up)
    up = keras.layers.Concatenate()([up, fine])
    up = keras.layers.Conv2D(4 * width // 3, 3, padding="same", activation="swish")(up)
    outputs = keras.layers.Conv2D(image_shape[-1], 3, padding="same", kernel_initializer="zeros")(up)
    return keras.Model([noisy, times], outputs)


def _block(x: Any, time: Any, width: int) -> Any:
    y = keras.layers.Conv2D(width, 3, padding="same")(keras.layers.Activation("swish")(x))
    shift = keras.layers.Reshape((1, 1, width))(keras.layers.Dense(width)(time))
    y = keras.layers.Activation("swish")(keras.layers.Add()([y, shift]))
    y = keras.layers.Conv2D(width, 3, padding="same", kernel_initializer="zeros")(y)
    if x.shape[-1] != width:
        x = keras.layers.Conv2D(width, 1)(x)
    return keras.layers.Add()([x, y])
