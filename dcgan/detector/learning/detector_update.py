"""A fitted detector that goes on to learn from a user's fakes, in a fraction of the time of a fit."""

import dataclasses

import keras
import numpy as np

from dcgan.data.indexed_images import Images
from dcgan.detector.delivery import file_histories
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_files import Fitted
from dcgan.detector.fakes.fake_pool import FakePool, Fakes
from dcgan.detector.familiarity import familiarity_training
from dcgan.detector.fit_progress import Progress, ignore
from dcgan.detector.fitting import classifier_training, detector_fitting, training_batches
from dcgan.detector.inputs.reals import Reals
from dcgan.detector.learning import learned_fakes, learning_gains

# A few fakes are soon known by heart, and a high rate makes a network forget what it knew. So steps and
# rate grow with the root of the number of fakes, up to four times the fit's steps and to the fit's rate.
_STEPS, _MOST_STEPS = 60.0, 4
_RATE = 1 / 80


def update(
    fitted: Fitted, fakes: list[Fakes], *, config: DetectorConfig, progress: Progress = ignore
) -> Fitted:
    """Adds fakes to a detector's pool, trains it on and calibrates it anew.

    The folds stay as they are: the calibration takes the new generators for ones like the others.

    Args:
        fitted: What was fitted. It is left unchanged.
        fakes: What `load_learned` returned.
        config: The fit's config, perhaps with another promise.
        progress: Called after each step. Defaults to nothing.

    Returns:
        The new detector and what it was made of; `learned` says what it gained.

    Raises:
        InputError: If all fakes of a generator were learned from before.
    """
    reals = fitted.reals
    given = _join(fitted, fakes)
    pool = fitted.pool.extend(learned_fakes.leave_out_known(given, fitted.pool))
    learned_from = pool.where(~pool.held_back)
    steps, rate = pace(int(pool.is_learned.sum()), config)
    detector = classifier_training.train_on(
        fitted.detector,
        learned_from,
        _match_reals(reals, learned_from, seed=config.seed),
        config=dataclasses.replace(config, learning_rate=rate),
        steps=steps,
        progress=progress,
    )
    scores = detector_fitting.calibrate(
        detector, fitted.folds, pool.where(pool.held_back), reals, config=config
    )
    familiarity = _recalibrate(fitted.detector.familiarity, pool, reals, seed=config.seed)
    detector = detector.with_familiarity(familiarity)
    gains = learning_gains.measure(fitted.detector, detector, pool, reals, seed=config.seed)
    return dataclasses.replace(
        fitted, config=config, pool=pool, detector=detector, scores=scores, learned=gains
    )


def is_done(fitted: Fitted, fakes: list[Fakes], *, config: DetectorConfig) -> bool:
    """Whether a detector has learned from all these fakes, with the same promise.

    Args:
        fitted: The detector.
        fakes: As for `update`.
        config: As for `update`.
    """
    is_new = learned_fakes.find_new(_join(fitted, fakes), fitted.pool)
    return config.to_dict() == fitted.config.to_dict() and not is_new.any()


def _join(fitted: Fitted, fakes: list[Fakes]) -> FakePool:
    return detector_fitting.match_histories(FakePool.join(fakes), fitted.reals)


def pace(count: int, config: DetectorConfig) -> tuple[int, float]:
    """Returns for how many steps and at which rate to learn from so many fakes.

    Args:
        count: How many fakes of the pool the user gave.
        config: Steps and learning rate of the fit.
    """
    steps = min(round(_STEPS * count**0.5), _MOST_STEPS * config.steps)
    return steps, config.learning_rate * min(1.0, _RATE * count**0.5)


def _match_reals(reals: Reals, pool: FakePool, *, seed: int) -> Images:
    """The reals to learn from, as often JPEGs as fakes are."""
    return file_histories.match_fakes(
        reals.train,
        reals.jpeg_qualities,
        pool.jpeg_qualities,
        likelihoods=training_batches.likelihoods(pool),
        seed=seed,
    )


def _recalibrate(
    former: keras.Model | None, pool: FakePool, reals: Reals, *, seed: int
) -> keras.Model | None:
    """Copies a measure of familiarity for which the new fakes, half of all, are familiar."""
    if former is None:
        return None
    copy = keras.models.clone_model(former)
    copy.set_weights(former.get_weights())
    own = pool.images[pool.held_back & ~pool.is_learned]
    # Its network has not learned from them: all can be compared with.
    learned = np.random.default_rng(seed).permutation(np.flatnonzero(pool.is_learned))
    fakes = np.concatenate([own, pool.images[np.resize(learned, len(own))]])
    familiarity_training.calibrate(copy, reals.calibration, fakes, seed=seed)
    return copy
