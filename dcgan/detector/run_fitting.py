"""The detector of a run: fakes are collected, it is fitted and written; later, calibrated anew."""

import os

import numpy as np

from dcgan import data
from dcgan.detector import certificate, detector_files, fitting, held_back, own_reals, threshold
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_files import DetectorFiles, Fitted
from dcgan.detector.fakes import fake_collection
from dcgan.detector.familiarity import familiarity_training
from dcgan.detector.fit_progress import Progress, ignore
from dcgan.detector.run_inputs import RunInputs
from dcgan.detector.threshold import Calibration
from dcgan.runs.run_directory import RunDirectory
from dcgan.system import keras_limits


def fit_run(
    run: RunDirectory,
    *,
    false_positive_rate: float | None = None,
    confidence: float = DetectorConfig.confidence,
    deliveries: str = DetectorConfig.deliveries,
    seed: int = 0,
    images: data.ImageSet | np.ndarray | None = None,
    progress: Progress = ignore,
) -> Fitted:
    """Fits a run's detector and writes it into the run.

    Args:
        run: A trained run.
        false_positive_rate: Bound on the share of reals called fake. Defaults to 0.01, or to the
            lowest rate that so many calibration images can certify.
        confidence: The least probability, over draws of the calibration images, that the bound holds.
            Defaults to 0.95.
        deliveries: Names of the deliveries that it is to hold under, joined by commas. Defaults to all
            but "jpeg 40".
        seed: Seed of every draw. Defaults to 0.
        images: The images of a run that was given them, see `dcgan.train`. Defaults to None.
        progress: Called after each step. Defaults to nothing.

    Returns:
        The detector and what it was made of.

    Raises:
        InputError: If the run has no model yet, its images cannot be used, or they are too few for the
            rate.

    Example:
        >>> fitted = fit_run(RunDirectory.open("runs/mnist"))
        >>> fitted.detector.score(images)["p_fake"]
    """
    keras_limits.refuse("the detector's training")
    inputs = RunInputs.load(run, images)
    config = DetectorConfig.for_run(
        inputs.config,
        images=len(inputs.reals.train),
        seed=seed,
        confidence=confidence,
        deliveries=deliveries,
    ).certify(len(inputs.reals.calibration), false_positive_rate)
    pool = fake_collection.collect_fakes(inputs, config, progress=progress)
    discriminator = inputs.model.discriminator
    fitted = fitting.fit(discriminator, pool, inputs.reals, config=config, progress=progress)
    DetectorFiles(run).save(fitted, inputs.trained)
    return fitted


def recalibrate_run(
    run: RunDirectory,
    reals: str | os.PathLike[str] | np.ndarray,
    *,
    false_positive_rate: float | None = None,
    confidence: float | None = None,
    deliveries: str | None = None,
) -> Calibration:
    """Calibrates a run's detector on the user's own reals and writes it back.

    From then on, images are familiar that are like these reals or like the run's fakes. The detector
    before stays in the run as `detector/former.keras`.

    Args:
        run: A run with a detector.
        reals: Anything `dcgan.load_images` loads: images like those the detector will meet, all
            different, none of which it was trained on or is tested on.
        false_positive_rate: Bound on the share of such reals called fake. Defaults to the rate that
            the detector was fitted with.
        confidence: See `fit_run`. Defaults to that of the fit.
        deliveries: See `fit_run`. Defaults to those of the fit.

    Returns:
        The new calibration.

    Raises:
        InputError: If the run has no detector, the images cannot be used (see `own_reals.check`), or
            they are too few for rate, confidence and deliveries.
    """
    files = DetectorFiles(run)
    detector = detector_files.load(files.detector)
    config, scores = files.load_config(), files.load_scores()
    asked = {
        "false_positive_rate": false_positive_rate,
        "confidence": confidence,
        "deliveries": deliveries,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    config = DetectorConfig.from_dict({**config.to_dict(), **given})
    size, _, channels = detector.image_shape
    loaded = data.load_images(reals, split="all", image_size=size, channels=channels)
    own_reals.check(loaded, run)
    images = np.asarray(loaded.images)
    # Before scoring, which takes long for many images.
    certificate.check_count(
        len(images),
        config.false_positive_rate,
        confidence=config.confidence,
        deliveries=len(config.certified),
    )
    new = threshold.calibrate(
        held_back.score_reals(detector, scores, images, names=config.certified),
        false_positive_rate=config.false_positive_rate,
        confidence=config.confidence,
        miss_rate=config.miss_rate,
    )
    detector.calibrate(new)
    if detector.familiarity is not None:
        familiarity_training.recalibrate(detector.familiarity, images, seed=config.seed)
    files.replace(detector)
    return new
