"""From fakes to a calibrated detector: training, familiarity, then the threshold."""

import keras
import numpy as np

from dcgan.detector import certificate, classifier_training, held_back, threshold
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_files import Fitted
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.familiarity import familiarity_training
from dcgan.detector.fit_progress import Progress, ignore
from dcgan.detector.reals import Reals
from dcgan.system import keras_limits

# One in so many fakes of the pool is held back from training, to calibrate on.
_HELD_BACK = 10


def fit(
    discriminator: keras.Model,
    pool: FakePool,
    reals: Reals,
    *,
    config: DetectorConfig | None = None,
    progress: Progress = ignore,
) -> Fitted:
    """Fits a detector on a trained discriminator and a pool of fakes.

    Besides the detector itself, one network is trained briefly without each family of fakes. How much
    worse these networks tell that family calibrates the detector for families it has not seen.

    Args:
        discriminator: Maps images to logits, positive for real. It is left unchanged.
        pool: The fakes.
        reals: The `train` part is learned from, the `calibration` part sets the threshold.
        config: Defaults to `DetectorConfig()`.
        progress: Called after each step. Defaults to nothing.

    Returns:
        The detector and what it was made of.

    Raises:
        InputError: If there are too few reals for false positive rate, confidence and deliveries, or
            Keras is told to cut training short.
    """
    config = config or DetectorConfig()
    keras_limits.refuse("the detector's training")
    certificate.check_count(
        len(reals.calibration),
        config.false_positive_rate,
        confidence=config.confidence,
        deliveries=len(config.certified),
    )
    is_held_back = np.arange(len(pool.images)) % _HELD_BACK == 0
    detector, folds = classifier_training.train(
        discriminator, pool.where(~is_held_back), reals.train, config=config, progress=progress
    )
    scores = held_back.score(
        *(detector, folds, pool.where(is_held_back), reals), names=config.certified, seed=config.seed
    )
    calibration = threshold.calibrate(
        scores,
        false_positive_rate=config.false_positive_rate,
        confidence=config.confidence,
        miss_rate=config.miss_rate,
    )
    detector.calibrate(calibration)
    familiarity = familiarity_training.fit(
        *(reals, pool.where(~is_held_back), pool.where(is_held_back)),
        steps=config.familiarity_steps,
        seed=config.seed,
        progress=progress,
    )
    detector = detector.with_familiarity(familiarity)
    return Fitted(config, reals, pool, detector, folds, scores)
