"""The evaluation of a run's detector: holdout generators, baselines, and the report in the run."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from dcgan import data
from dcgan.config import RunConfig
from dcgan.detector.detector_files import DetectorFiles, Fitted
from dcgan.detector.evaluation import (
    baselines,
    detector_report,
    families,
    headline,
    holdout_evaluation,
    simple_statistics,
)
from dcgan.detector.fakes import holdouts
from dcgan.detector.fit_progress import Progress, ignore
from dcgan.report import publish
from dcgan.runs import training_record
from dcgan.runs.run_directory import RunDirectory
from dcgan.system import files, keras_limits

# How many test images, and fakes of each generator, in shares of the pool that was learned from: with
# the default pool 2,000 and 1,000.
_REALS, _FAKES = 1 / 15, 1 / 30
EVALUATION = "evaluation.json"
HOLDOUT = "holdout"


def evaluate_run(
    run: RunDirectory,
    fitted: Fitted,
    *,
    fakes: Mapping[str, str] | None = None,
    progress: Progress = ignore,
) -> dict[str, Any]:
    """Evaluates a run's detector and writes report and charts into the run.

    Args:
        run: The detector's run.
        fitted: What `fit_run` returned, or `load_fitted`.
        fakes: Further holdout generators: names and anything `dcgan.load_images` loads. Defaults to
            none.
        progress: Called after each step. Defaults to nothing.

    Returns:
        The report: see `holdout_evaluation.evaluate`; with `families` (`families.measure_families`),
        `simple_statistics`, `headline` and `pool`, the number of fakes by generator.

    Raises:
        InputError: If images cannot be used, or Keras is told to cut training short.
    """
    keras_limits.refuse("the training of holdout generators")
    detector, reals, config = fitted.detector, fitted.reals, fitted.config
    count = max(2, round(config.pool_size * _FAKES))
    test = reals.test[: max(2, round(config.pool_size * _REALS))]
    given = {
        name: _load_fakes(source, detector.image_shape, count) for name, source in (fakes or {}).items()
    }
    tested = given | holdouts.draw_holdouts(
        RunConfig.load(run.config),
        reals.train,
        count=count,
        steps=config.steps,
        directory=run.detector_files / HOLDOUT,
        progress=progress,
    )
    compared = {"pixel histogram": baselines.histogram_model(reals.train, fitted.pool)}
    measured = holdout_evaluation.evaluate(detector, test, tested, baselines=compared, progress=progress)
    measured["families"] = families.measure_families(fitted.folds, fitted.pool, test, progress=progress)
    measured["simple_statistics"] = simple_statistics.measure_pool(reals.train, fitted.pool)
    measured["pool"] = fitted.pool.counts()
    notes = (*_describe_training(run), *reals.notes)
    said = headline.write(measured, detector.calibration, seen=reals.seen, notes=notes)
    report = {"headline": said, **measured}
    files.write_text(run.detector_files / EVALUATION, json.dumps(report, indent=1) + "\n")
    publish(run, detector_report.describe(report, detector, reals=test, fakes=tested))
    return report


def _describe_training(run: RunDirectory) -> list[str]:
    """Says why the training behind the detector ended early, if it did."""
    path = DetectorFiles(run).training
    training = files.read_json(path, "how training had ended") if path.is_file() else {}
    unsaid = (None, training_record.FINISHED, training_record.UNRECORDED)
    return [] if training.get("reason") in unsaid else [training["message"]]


def _load_fakes(source: str, image_shape: tuple[int, int, int], count: int) -> np.ndarray:
    """Loads a generator's fakes, at most `count`, drawn at random."""
    height, _, channels = image_shape
    images = data.load_images(source, split="all", image_size=height, channels=channels).images
    order = np.random.default_rng(0).permutation(len(images))[:count]
    return images[np.sort(order)]
