"""Training batches: half reals, half fakes, corrupted alike, without end."""

import numpy as np
import tensorflow as tf

from dcgan.data import pipeline
from dcgan.detector import corruptions
from dcgan.detector.fakes import histogram_matching
from dcgan.detector.fakes.fake_pool import FakePool

# Shares of the fakes as they are, histogram-matched together, and matched one by one. With plain ones
# alone, a detector would learn little but the histogram, which tells its training fakes so well.
_SHARES = (0.3, 0.3, 0.4)


def training_batches(
    reals: np.ndarray, pool: FakePool, *, batch_size: int, seed: int
) -> tf.data.Dataset:
    """Draws reals and fakes in equal numbers, each image of a class equally often.

    Args:
        reals: Shape (images, height, width, channels), uint8.
        pool: The fakes, of the same shape.
        batch_size: An even number.
        seed: Seed of every draw.

    Returns:
        Endless batches of images, float32 in -1 to 1, and labels, float32, 1 for fakes.
    """
    with tf.device("/CPU:0"):
        real_pixels = tf.constant(reals)
        fake_pixels = tf.constant(_versions(pool, reals, seed=seed))
    half = batch_size // 2
    shape = (batch_size, *reals.shape[1:])

    def draw(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        seeds = tf.random.experimental.stateless_split(tf.stack([tf.constant(seed, tf.int64), step]), 5)
        which = tf.random.stateless_uniform((half,), seeds[0], 0, len(reals), tf.int32)
        fakes = tf.random.stateless_uniform((half,), seeds[1], 0, len(pool.images), tf.int32)
        versions = tf.searchsorted(
            tf.constant(np.cumsum(_SHARES[:-1]), tf.float32),
            tf.random.stateless_uniform((half,), seeds[2]),
        )
        drawn = tf.gather_nd(fake_pixels, tf.stack([versions, fakes], axis=1))
        images = tf.concat([tf.gather(real_pixels, which), drawn], axis=0)
        labels = tf.repeat([0.0, 1.0], [half, half])
        order = tf.argsort(tf.random.stateless_uniform((batch_size,), seeds[3]))
        mixed = corruptions.augment(tf.ensure_shape(tf.gather(images, order), shape), seed=seeds[4])
        return tf.cast(mixed, tf.float32) / 127.5 - 1.0, tf.gather(labels, order)

    numbers = tf.data.Dataset.counter()
    drawn = numbers.map(draw, num_parallel_calls=2, deterministic=True)
    return pipeline.without_autotuning(drawn.prefetch(2))


def _versions(pool: FakePool, reals: np.ndarray, *, seed: int) -> np.ndarray:
    """The fakes as in `_SHARES`, shape (3, count, height, width, channels)."""
    together = histogram_matching.match_histograms(pool.images, reals, groups=pool.generators, seed=seed)
    each = histogram_matching.match_histograms_individually(pool.images, reals, seed=seed)
    return np.stack([pool.images, together, each])
