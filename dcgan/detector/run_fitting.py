"""The detector of a run: fakes are collected, it is fitted and written; later, calibrated anew."""

import logging
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from dcgan import data
from dcgan.detector import certificate, detector_files, threshold
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_files import DetectorFiles, Fitted
from dcgan.detector.fakes import fake_collection
from dcgan.detector.familiarity import familiarity_training
from dcgan.detector.fit_progress import Progress, ignore
from dcgan.detector.fitting import detector_fitting, held_back
from dcgan.detector.inputs import own_reals
from dcgan.detector.inputs.run_inputs import RunInputs
from dcgan.detector.learning import detector_update, learned_fakes
from dcgan.detector.threshold import Calibration
from dcgan.runs.run_directory import RunDirectory
from dcgan.system import keras_limits


def fit_run(
    run: str | os.PathLike[str],
    *,
    learn: Mapping[str, learned_fakes.Source] | None = None,
    false_positive_rate: float | None = None,
    confidence: float | None = None,
    deliveries: str | None = None,
    seed: int = 0,
    images: data.ImageSet | np.ndarray | None = None,
    progress: Progress = ignore,
) -> Fitted:
    """Fits a run's detector and writes it into the run.

    With fakes to learn from, a detector that is there learns from them besides what it has learned
    before, in a fraction of the time of a fit; the one before stays in the run as
    `detector/former.keras`. Its threshold is set anew on the run's images: `recalibrate_run` afterwards.
    One that has learned from these fakes, and was not evaluated since, is returned as it is: a command
    that was interrupted goes on with the evaluation.

    Args:
        run: A trained run's directory.
        learn: Fakes to learn from: by the generator's name, anything `dcgan.load_images` loads, at
            least 20. Defaults to none: the detector is fitted anew without any.
        false_positive_rate: Bound on the share of reals called fake. Defaults to 0.01, or to the
            lowest rate that so many calibration images can certify; with `learn` to that of the fit.
        confidence: The least probability, over draws of the calibration images, that the bound holds.
            Defaults to 0.95, with `learn` to that of the fit.
        deliveries: Names of the deliveries that it is to hold under, joined by commas. Defaults to all
            but "jpeg 40", with `learn` to those of the fit.
        seed: Seed of every draw of a fit. Defaults to 0.
        images: The images of a run that was given them, see `dcgan.train`. Defaults to None.
        progress: Called after each step. Defaults to nothing.

    Returns:
        The detector and what it was made of.

    Raises:
        InputError: If there is no run, it has no model yet, its images or the fakes cannot be used, or
            they are too few for the rate.

    Example:
        >>> fitted = dcgan.detector.fit_run("runs/mnist")
        >>> fitted = dcgan.detector.fit_run("runs/mnist", learn={"diffusion": "fakes/diffusion"})
        >>> fitted.detector.score(images)["p_fake"].shape
        (1000,)
    """
    keras_limits.refuse("the detector's training")
    run = RunDirectory.open(run)
    files = DetectorFiles(run)
    given = _given(false_positive_rate, confidence, deliveries)
    if learn and files.detector.is_file():
        fitted = detector_files.load_fitted(run, images)
        fakes = learned_fakes.load_learned(learn, fitted.reals)
    else:
        inputs = RunInputs.load(run, images)
        fakes = learned_fakes.load_learned(learn or {}, inputs.reals)
        fitted = _fit(inputs, given, seed=seed, progress=progress)
        files.save_training(inputs.trained)
        files.save(fitted)
    if fakes:
        config = _promise(fitted.config, given, len(fitted.reals.calibration))
        if not files.load_report() and detector_update.is_done(fitted, fakes, config=config):
            logging.getLogger("dcgan").warning(
                "The detector has learned from these fakes, but was not evaluated since."
            )
            return fitted
        _warn_of_reset(fitted)
        fitted = detector_update.update(fitted, fakes, config=config, progress=progress)
        files.save(fitted)
    return fitted


def _fit(inputs: RunInputs, given: dict[str, Any], *, seed: int, progress: Progress) -> Fitted:
    rate = given.get("false_positive_rate")
    others = {name: value for name, value in given.items() if name != "false_positive_rate"}
    config = DetectorConfig.for_run(
        inputs.config, images=len(inputs.reals.train), seed=seed, **others
    ).certify(len(inputs.reals.calibration), rate)
    pool = fake_collection.collect_fakes(inputs, config, progress=progress)
    discriminator = inputs.model.discriminator
    return detector_fitting.fit(discriminator, pool, inputs.reals, config=config, progress=progress)


def recalibrate_run(
    run: str | os.PathLike[str],
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
        run: The directory of a run with a detector.
        reals: Anything `dcgan.load_images` loads: images like those the detector will meet, all
            different, none of which it was trained on or is tested on.
        false_positive_rate: Bound on the share of such reals called fake. Defaults to the rate that
            the detector was fitted with.
        confidence: See `fit_run`. Defaults to that of the fit.
        deliveries: See `fit_run`. Defaults to those of the fit.

    Returns:
        The new calibration.

    Raises:
        InputError: If there is no such run or detector, the images cannot be used (see
            `own_reals.check`), or they are too few for rate, confidence and deliveries.

    Example:
        >>> calibration = dcgan.detector.recalibrate_run("runs/mnist", "photos")
        >>> calibration.reals == len(list(pathlib.Path("photos").iterdir()))
        True
    """
    run = RunDirectory.open(run)
    files = DetectorFiles(run)
    detector = detector_files.load(files.detector)
    config, scores = files.load_config(), files.load_scores()
    given = _given(false_positive_rate, confidence, deliveries)
    size, _, channels = detector.image_shape
    loaded = data.load_images(reals, split="all", image_size=size, channels=channels)
    own_reals.check(loaded, run)
    # Before scoring, which takes long for many images.
    config = _promise(config, given, len(loaded.images))
    new = threshold.calibrate(
        held_back.score_reals(detector, scores, loaded.images, names=config.certified),
        false_positive_rate=config.false_positive_rate,
        confidence=config.confidence,
        miss_rate=config.miss_rate,
    )
    detector.calibrate(new)
    if detector.familiarity is not None:
        familiarity_training.recalibrate(detector.familiarity, loaded.images, seed=config.seed)
    files.replace(detector)
    return new


def _warn_of_reset(fitted: Fitted) -> None:
    """Says that a threshold on the user's own reals is given up."""
    calibration = fitted.detector.calibration
    if calibration is not None and calibration.reals != len(fitted.reals.calibration):
        logging.getLogger("dcgan").warning(
            "The threshold is set on the run's own images again; to set it on yours: `dcgan detect "
            "calibrate`."
        )


def _given(
    false_positive_rate: float | None, confidence: float | None, deliveries: str | None
) -> dict[str, Any]:
    values = {
        "false_positive_rate": false_positive_rate,
        "confidence": confidence,
        "deliveries": deliveries,
    }
    return {name: value for name, value in values.items() if value is not None}


def _promise(config: DetectorConfig, given: dict[str, Any], reals: int) -> DetectorConfig:
    """Returns a config with another promise, or refuses one that so many images cannot keep."""
    config = DetectorConfig.from_dict({**config.to_dict(), **given})
    certificate.check_count(
        reals,
        config.false_positive_rate,
        confidence=config.confidence,
        deliveries=len(config.certified),
    )
    return config
