"""The evaluation of a run's detector: holdout generators, baselines, and the report in the run."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from dcgan import data, files
from dcgan.detector.detector_files import Fitted
from dcgan.detector.evaluation import baselines, detector_report, holdout_evaluation
from dcgan.detector.fakes import holdout_generators
from dcgan.detector.fit_progress import Progress, ignore
from dcgan.report import publish
from dcgan.runs.run_directory import RunDirectory

# How many test images, and fakes of each generator, in shares of the pool that was learned from: with
# the default pool 5,000 and 2,000.
_REALS, _FAKES = 1 / 6, 1 / 15
# Steps of the variational autoencoder, in steps of the pool's own autoencoders.
_VAE_STEPS = 3
EVALUATION = "evaluation.json"


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
        The report, see `holdout_evaluation.evaluate`.

    Raises:
        InputError: If images cannot be used.
    """
    detector, reals, config = fitted.detector, fitted.reals, fitted.config
    count = round(config.pool_size * _FAKES)
    given = {
        name: _load_fakes(source, detector.image_shape, count) for name, source in (fakes or {}).items()
    }
    tested = holdout_generators.draw_holdouts(
        reals.train, count=count, steps=_VAE_STEPS * config.rebuild_steps, progress=progress
    )
    tested |= given
    compared = {"pixel histogram": baselines.histogram_model(reals.train, fitted.pool)}
    report = holdout_evaluation.evaluate(
        detector,
        reals.test[: round(config.pool_size * _REALS)],
        tested,
        baselines=compared,
        folds=fitted.folds,
        progress=progress,
    )
    report["pool"] = fitted.pool.counts()
    files.write_text(run.detector_files / EVALUATION, json.dumps(report, indent=1) + "\n")
    publish(run, detector_report.describe(report, detector, reals=reals.test, fakes=tested))
    return report


def _load_fakes(source: str, image_shape: tuple[int, int, int], count: int) -> np.ndarray:
    """Loads a generator's fakes, at most `count`, drawn at random."""
    height, _, channels = image_shape
    images = data.load_images(source, split="all", image_size=height, channels=channels).images
    order = np.random.default_rng(0).permutation(len(images))[:count]
    return images[np.sort(order)]
