"""The evaluation of a run's detector: holdout generators, baselines, and the report in the run."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from dcgan import data
from dcgan.config import RunConfig
from dcgan.data import ImageSet
from dcgan.detector import start
from dcgan.detector.delivery import file_histories
from dcgan.detector.detector_files import DetectorFiles, Fitted
from dcgan.detector.evaluation import (
    baselines,
    detector_report,
    families,
    headline,
    holdout_evaluation,
    simple_statistics,
    start_contribution,
)
from dcgan.detector.fakes import holdouts
from dcgan.detector.fit_progress import Progress, ignore
from dcgan.detector.inputs.reals import Reals
from dcgan.detector.learning import learning_gains
from dcgan.detector.start import colour_classifier
from dcgan.report import publish
from dcgan.runs import training_record
from dcgan.runs.run_directory import RunDirectory
from dcgan.system import files, keras_limits

# How many test images, and fakes of each generator, in shares of the pool that was learned from: with
# the default pool 2,000 and 1,000.
_REALS, _FAKES = 1 / 15, 1 / 30
# By so much the shares of JPEGs may differ without a word.
_ALIKE = 0.1
HOLDOUT = "holdout"


def evaluate_run(
    run: str | os.PathLike[str],
    fitted: Fitted,
    *,
    fakes: Mapping[str, str] | None = None,
    progress: Progress = ignore,
) -> dict[str, Any]:
    """Evaluates a run's detector and writes report and charts into the run.

    Args:
        run: The directory of the detector's run.
        fitted: What `fit_run` returned, or `load_fitted`.
        fakes: Further holdout generators: names and anything `dcgan.load_images` loads. Defaults to
            none.
        progress: Called after each step. Defaults to nothing.

    Returns:
        The report: see `holdout_evaluation.evaluate`; with `families` (`families.measure_families`),
        `simple_statistics`, `headline`, `learned` (`learning_gains.measure`), `start` of a colour
        detector (`start_contribution.measure`), `pool`, the number of fakes by generator, and `digest`,
        that of the detector's file.

    Raises:
        InputError: If there is no run, images cannot be used, or Keras is told to cut training short.

    Example:
        >>> fitted = dcgan.detector.load_fitted("runs/mnist")
        >>> fakes = {"diffusion": "fakes/diffusion"}
        >>> report = dcgan.detector.evaluate_run("runs/mnist", fitted, fakes=fakes)
        >>> "diffusion" in report["generators"]
        True
    """
    run = RunDirectory.open(run)
    keras_limits.refuse("the training of holdout generators")
    digest = DetectorFiles(run).digest()
    given = {name: _load_fakes(source, fitted) for name, source in (fakes or {}).items()}
    tested = _draw_tested(run, fitted, given, progress=progress)
    test = fitted.reals.test[: max(2, round(fitted.config.pool_size * _REALS))]
    measured = _measure(fitted, test, tested, progress=progress)
    notes = [*_describe_training(run), *fitted.reals.notes, *_warn_of_files(given, fitted.reals)]
    said = _conclude(fitted, measured, notes=notes)
    said["sentences"] = [*headline.describe_given(measured, given), *said["sentences"]]
    report = {"headline": said, **measured, "digest": digest}
    publish(run, detector_report.describe(report, fitted.detector, reals=test, fakes=tested))
    return report


def _draw_tested(
    run: RunDirectory, fitted: Fitted, given: Mapping[str, ImageSet], *, progress: Progress
) -> dict[str, np.ndarray]:
    """Returns the fakes of all generators to test on, with the reals' file history."""
    drawn = holdouts.draw_holdouts(
        RunConfig.load(run.config),
        fitted.reals.train,
        count=_count(fitted),
        steps=fitted.config.steps,
        directory=run.detector_files / HOLDOUT,
        progress=progress,
    )
    fresh = {name: (images, np.zeros(len(images), np.uint8)) for name, images in drawn.items()}
    loaded = {name: (np.asarray(part.images), _qualities(part)) for name, part in given.items()}
    return {
        name: file_histories.match_reals(*images, fitted.reals.jpeg_qualities)[0]
        for name, images in {**loaded, **fresh}.items()
    }


def _measure(
    fitted: Fitted, test: np.ndarray, tested: Mapping[str, np.ndarray], *, progress: Progress
) -> dict[str, Any]:
    detector, pool = fitted.detector, fitted.pool
    compared = {"pixel histogram": baselines.histogram_model(fitted.reals.train, pool)}
    measured = holdout_evaluation.evaluate(detector, test, tested, baselines=compared, progress=progress)
    measured["families"] = families.measure_families(fitted.folds, pool, test, progress=progress)
    measured["simple_statistics"] = simple_statistics.measure_pool(fitted.reals.train, pool)
    measured["pool"] = pool.counts()
    measured["learned"] = fitted.learned
    if colour_classifier.has_start(detector.classifier):
        measured["start"] = start_contribution.measure(
            detector.classifier, test, tested, progress=progress
        )
    return measured


def _conclude(fitted: Fitted, measured: dict[str, Any], *, notes: list[str]) -> dict[str, Any]:
    """Returns what `headline.write` returns, with what is said of start, files and learning."""
    reals, pool = fitted.reals, fitted.pool
    said = headline.write(measured, fitted.detector.calibration, seen=reals.seen, notes=notes)
    about_start = (
        start_contribution.describe(start.read_card(), measured["start"]) if "start" in measured else []
    )
    about_files = file_histories.describe(reals.jpeg_qualities, pool.jpeg_qualities[pool.is_learned])
    about_learning = learning_gains.describe(fitted.learned)
    said["sentences"] = [*about_learning, *about_start, *said["sentences"], *about_files]
    return said


def _warn_of_files(given: Mapping[str, ImageSet], reals: Reals) -> list[str]:
    """Says which fakes to test on are JPEGs although the reals are not."""
    share = file_histories.share_of_jpegs(reals.jpeg_qualities)
    return [
        f"{jpegs:.0%} of the fakes of {name} are JPEG, of the reals {share:.0%}: what tells them may be "
        f"how they were saved."
        for name, part in given.items()
        if (jpegs := file_histories.share_of_jpegs(part.jpeg_qualities)) > share + _ALIKE
    ]


def _describe_training(run: RunDirectory) -> list[str]:
    """Says why the training behind the detector ended early, if it did."""
    path = DetectorFiles(run).training
    training = files.read_json(path, "how training had ended") if path.is_file() else {}
    unsaid = (None, training_record.FINISHED, training_record.UNRECORDED)
    return [] if training.get("reason") in unsaid else [training["message"]]


def _count(fitted: Fitted) -> int:
    return max(2, round(fitted.config.pool_size * _FAKES))


def _load_fakes(source: str, fitted: Fitted) -> ImageSet:
    """Loads a generator's fakes, at most as many as of any other, drawn at random."""
    height, _, channels = fitted.detector.image_shape
    loaded = data.load_images(source, split="all", image_size=height, channels=channels)
    order = np.random.default_rng(0).permutation(len(loaded.images))[: _count(fitted)]
    return loaded.take(np.sort(order))


def _qualities(images: ImageSet) -> np.ndarray:
    known = images.jpeg_qualities
    return np.zeros(len(images.images), np.uint8) if known is None else known
