"""Training the familiarity network against made-up outliers, and its calibration."""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from dcgan.data.batching import pipeline
from dcgan.data.indexed_images import Images
from dcgan.detector.delivery import deliveries, named_deliveries
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.familiarity import familiarity_model, outliers
from dcgan.detector.fit_progress import FitProgress, Progress, ignore
from dcgan.detector.inputs.reals import Reals
from dcgan.images import to_float

_BATCH = 128
_LEARNING_RATE = 3e-3
# Shares of images that are sent through deliveries.
_DELIVERED, _OUTLIERS_DELIVERED = 0.85, 0.5
_REALS, _FAKES = 0, 1
# Scores in a calibration: fewer cannot tell what is rare, more than this do not help.
_FEWEST, _MOST = 1_000, 4_000


def fit(
    reals: Reals,
    pool: FakePool,
    held_back: FakePool,
    *,
    steps: int,
    seed: int = 0,
    progress: Progress = ignore,
) -> keras.Model:
    """Trains a network by `train` and calibrates it by `calibrate`.

    Args:
        reals: The `train` part is learned from, the `calibration` part is compared with.
        pool: Fakes to learn from.
        held_back: Fakes to compare with.
        steps: Training steps.
        seed: Seed of every draw. Defaults to 0.
        progress: Called after each step. Defaults to nothing.
    """
    model = train(reals.train, pool, steps=steps, seed=seed, progress=progress)
    calibrate(model, reals.calibration, held_back.images, seed=seed)
    return model


def train(
    reals: Images, pool: FakePool, *, steps: int, seed: int = 0, progress: Progress = ignore
) -> keras.Model:
    """Trains a network to tell reals and fakes from outliers, all of them under deliveries.

    A quarter of a batch of 128 are reals, a quarter fakes, half outliers made of reals.

    Args:
        reals: Shape (count, height, width, channels), uint8.
        pool: Fakes of the same shape; all generators are drawn equally often.
        steps: Training steps.
        seed: Seed of every draw. Defaults to 0.
        progress: Called after each step. Defaults to nothing.

    Returns:
        What `familiarity_model.build` returns, trained but not calibrated.
    """
    model = familiarity_model.build(reals.shape[1:], seed=seed)
    learner = familiarity_model.strangeness(model)
    rate = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)
    learner.compile(keras.optimizers.AdamW(rate), keras.losses.BinaryCrossentropy(from_logits=True))
    dataset = tf.data.Dataset.from_generator(
        lambda: _draw(reals, pool, seed=seed),
        output_signature=(
            tf.TensorSpec((_BATCH, *reals.shape[1:]), tf.float32),
            tf.TensorSpec((_BATCH, 1), tf.float32),
        ),
    )
    learner.fit(
        pipeline.without_autotuning(dataset.prefetch(4)),
        steps_per_epoch=steps,
        callbacks=[FitProgress(progress, "familiarity")],
        verbose=0,
        shuffle=False,
    )
    return model


def calibrate(model: keras.Model, reals: Images, fakes: np.ndarray, *, seed: int = 0) -> None:
    """Calibrates on images that the network has not learned from, under the named deliveries.

    Args:
        model: What `train` returned.
        reals: Shape (count, height, width, channels), uint8; at most 4,000 of them are used, and fewer
            than 1,000 are sent through several deliveries each.
        fakes: Fakes held back from training, shape and use likewise.
        seed: Seed of every draw. Defaults to 0.
    """
    _set(model, _REALS, reals, seed=seed)
    _set(model, _FAKES, fakes, seed=seed)


def recalibrate(model: keras.Model, reals: Images, *, seed: int = 0) -> None:
    """Replaces the reals that images are compared with; the arguments are those of `calibrate`."""
    _set(model, _REALS, reals, seed=seed)


def deliver_all(images: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Sends images through the named deliveries in turn, each image through one of them."""
    delivered = images.copy()
    names = list(named_deliveries.NAMED)
    for number, name in enumerate(names[: len(images)]):
        part = slice(number, None, len(names))
        delivered[part] = named_deliveries.NAMED[name](images[part], seed + number)
    return delivered


def _set(model: keras.Model, which: int, images: Images, *, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(images))[:_MOST]
    chosen = images[np.resize(order, max(len(order), _FEWEST))]
    pixels = to_float(deliver_all(chosen, seed=seed))
    logits = familiarity_model.strangeness(model).predict(pixels, batch_size=256, verbose=0)
    familiarity_model.p_values(model).calibrate(logits[:, 0], which=which)


def _draw(reals: Images, pool: FakePool, *, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    quarter = _BATCH // 4
    members = [np.flatnonzero(pool.generators == name) for name in np.unique(pool.generators)]
    labels = np.repeat([[0], [1]], _BATCH // 2, axis=0).astype(np.float32)
    shares = np.where(labels[:, 0] > 0, _OUTLIERS_DELIVERED, _DELIVERED)
    while True:
        groups = rng.integers(0, len(members), quarter).tolist()
        fakes = pool.images[[rng.choice(members[group]) for group in groups]]
        known = reals[rng.integers(0, len(reals), quarter)]
        batch = np.concatenate([known, fakes, outliers.draw(reals, count=2 * quarter, rng=rng)])
        sent = rng.random(_BATCH) < shares
        batch[sent] = deliveries.random_chains(batch[sent], rng=rng)
        yield to_float(batch), labels
