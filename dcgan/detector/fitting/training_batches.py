"""Training batches: half reals, half fakes, both delivered alike, without end."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from dcgan import images as pixels
from dcgan.data.batching import pipeline
from dcgan.data.indexed_images import Images
from dcgan.detector.delivery import deliveries
from dcgan.detector.fakes import histogram_matching, own_generator, partial_fakes
from dcgan.detector.fakes.fake_pool import FakePool

# Shares of the fakes as they are, histogram-matched together, and matched one by one: grey levels are a
# trace that many deliveries leave in place, yet no detector may rest on them alone.
_SHARES = (0.7, 0.15, 0.15)
# Deliveries come in over this share of the training. From the start, they would hide what is to be
# learned.
_RAMP = 0.5
_DELIVERED_AT_FIRST = 0.1
_OWN_WEIGHT = 2.0
# Share of the fakes that the user gave, where there are others.
_LEARNED = 0.7
# Share of the colour images of which only a region is pasted into a real: of fakes, and of reals, so
# that the region's edge is no evidence.
_PARTIAL = 0.3
# Share of the colour images that are mirrored. Digits are grey and have a right way round.
_MIRRORED = 0.5


def training_batches(
    reals: Images, pool: FakePool, *, batch_size: int, steps: int, seed: int
) -> tf.data.Dataset:
    """Draws reals and fakes in equal numbers and sends them through random chains of deliveries.

    All reals are equally likely. A generator's share of the fakes grows with the square root of its
    count, so that small ones are not drowned out; the run's own generator gets twice as much. Fakes
    that the user gave are seven in ten. In colour, three in ten images are only a region in a real, of
    the fakes as of the reals, and half of all images are mirrored.

    Args:
        reals: Shape (images, height, width, channels), uint8.
        pool: The fakes, of the same shape.
        batch_size: An even number.
        steps: Length of the training; the share of delivered images rises until the middle of it.
        seed: Seed of every draw.

    Returns:
        Endless batches of images, float32 in -1 to 1, and labels, float32, 1 for fakes; reals first.
    """
    signature = (
        tf.TensorSpec((batch_size, *reals.shape[1:]), tf.float32),
        tf.TensorSpec((batch_size,), tf.float32),
    )

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return _draw(reals, pool, batch_size=batch_size, steps=steps, seed=seed)

    drawn = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return pipeline.without_autotuning(drawn.prefetch(4))


def likelihoods(pool: FakePool) -> np.ndarray:
    """Returns how likely each fake is to be drawn, up to a factor, shape (count,), float64."""
    names, positions, counts = np.unique(pool.generators, return_inverse=True, return_counts=True)
    weights = np.where(names == own_generator.NAME, _OWN_WEIGHT, 1.0) / np.sqrt(counts)
    each, learned = weights[positions], pool.is_learned
    if learned.any() and not learned.all():
        ratio = each[~learned].sum() / each[learned].sum()
        each[learned] *= ratio * _LEARNED / (1 - _LEARNED)
    return each


def _draw(
    reals: Images, pool: FakePool, *, batch_size: int, steps: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    half = batch_size // 2
    versions = _versions(pool, reals, seed=seed)
    chances = np.cumsum(likelihoods(pool))
    labels = np.repeat([np.float32(0), np.float32(1)], half)
    step = 0
    while True:
        fakes = np.searchsorted(chances, rng.random(half) * chances[-1], side="right")
        version = np.searchsorted(np.cumsum(_SHARES[:-1]), rng.random(half))
        batch = np.concatenate([reals[rng.integers(0, len(reals), half)], versions[version, fakes]])
        if reals.shape[-1] == 3:
            partial = rng.random(batch_size) < _PARTIAL
            batch[partial] = partial_fakes.paste(batch[partial], reals, rng=rng)[0]
            mirrored = rng.random(batch_size) < _MIRRORED
            batch[mirrored] = batch[mirrored, :, ::-1]
        sent = rng.random(batch_size) < _share_delivered(step / steps)
        batch[sent] = deliveries.random_chains(batch[sent], rng=rng)
        yield pixels.to_float(batch), labels
        step += 1


def _share_delivered(progress: float) -> float:
    return _DELIVERED_AT_FIRST + (1 - _DELIVERED_AT_FIRST) * min(1.0, progress / _RAMP)


def _versions(pool: FakePool, reals: Images, *, seed: int) -> np.ndarray:
    """The fakes as in `_SHARES`, shape (3, count, height, width, channels)."""
    together = histogram_matching.match_histograms(pool.images, reals, groups=pool.generators, seed=seed)
    each = histogram_matching.match_histograms_individually(pool.images, reals, seed=seed)
    return np.stack([pool.images, together, each])
