"""From fakes to a calibrated detector: training, familiarity, then the threshold."""

import dataclasses

import keras

from dcgan.detector import certificate, threshold
from dcgan.detector.delivery import file_histories
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_files import Fitted
from dcgan.detector.detector_model import Detector
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.familiarity import familiarity_training
from dcgan.detector.fit_progress import Progress, ignore
from dcgan.detector.fitting import classifier_training, held_back
from dcgan.detector.inputs.reals import Reals
from dcgan.detector.threshold import Scores
from dcgan.system import keras_limits


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

    Example:
        >>> reals = dcgan.detector.Reals(images[:600], calibration=images[600:800], test=images[800:])
        >>> pool = dcgan.detector.FakePool.join([
        ...     dcgan.detector.Fakes("dcgan", "gan", dcgan.images.to_uint8(model.generate(300))),
        ...     dcgan.detector.Fakes("darkened", "autoencoder", images[:300] // 2),
        ... ])
        >>> config = dcgan.detector.DetectorConfig(
        ...     steps=20, fold_steps=10, familiarity_steps=10, false_positive_rate=0.1
        ... )  # for a first try
        >>> fitted = dcgan.detector.fit(model.discriminator, pool, reals, config=config)
        >>> fitted.detector.calibration.reals
        200
    """
    config = config or DetectorConfig()
    keras_limits.refuse("the detector's training")
    certificate.check_count(
        len(reals.calibration),
        config.false_positive_rate,
        confidence=config.confidence,
        deliveries=len(config.certified),
    )
    pool = match_histories(pool, reals)
    learned_from, kept = pool.where(~pool.held_back), pool.where(pool.held_back)
    detector, folds = classifier_training.train(
        discriminator, learned_from, reals.train, config=config, progress=progress
    )
    scores = calibrate(detector, folds, kept, reals, config=config)
    familiarity = familiarity_training.fit(
        *(reals, learned_from, kept), steps=config.familiarity_steps, seed=config.seed, progress=progress
    )
    return Fitted(config, reals, pool, detector.with_familiarity(familiarity), folds, scores)


def match_histories(pool: FakePool, reals: Reals) -> FakePool:
    """Brings fakes through JPEG where reals came as JPEGs; see `file_histories.match_reals`."""
    images, qualities = file_histories.match_reals(
        pool.images, pool.jpeg_qualities, reals.jpeg_qualities
    )
    return dataclasses.replace(pool, images=images, jpeg_qualities=qualities)


def calibrate(
    detector: Detector,
    folds: dict[str, Detector],
    kept: FakePool,
    reals: Reals,
    *,
    config: DetectorConfig,
) -> Scores:
    """Sets a detector's probabilities and thresholds.

    Args:
        detector: The trained detector; it is changed.
        folds: See `held_back.score`.
        kept: The fakes held back.
        reals: The `calibration` part sets the threshold.
        config: False positive rate, confidence, deliveries, miss rate and seed.

    Returns:
        What the calibration rests on.
    """
    scores = held_back.score(*(detector, folds, kept, reals), names=config.certified, seed=config.seed)
    calibration = threshold.calibrate(
        scores,
        false_positive_rate=config.false_positive_rate,
        confidence=config.confidence,
        miss_rate=config.miss_rate,
    )
    detector.calibrate(calibration)
    return scores
