"""A run's detector under test: held-out generators, baselines, report in the run."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from dcgan import data, files, sampling
from dcgan.detector.detector_files import DetectorFiles, load
from dcgan.detector.evaluation import baselines, detector_report, holdout_evaluation
from dcgan.detector.fakes import holdout_generators
from dcgan.detector.reals import Reals
from dcgan.detector.step_counter import Progress, StepCounter
from dcgan.report import publish
from dcgan.runs.run_directory import RunDirectory

# Of the test images and of each generator, in shares of the pool that was learned from: with the default
# pool 5,000 and 2,000.
_REALS, _FAKES = 1 / 6, 1 / 15
# Steps of the variational autoencoder, in steps of the pool's own autoencoders.
_VAE_STEPS = 3
# Seeds of the built-in test generators; the pool's own start from the detector's seed.
_SEED = 424_242


def evaluate_run(
    run: RunDirectory,
    *,
    fakes: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluates a run's detector and writes report and figures into the run.

    Args:
        run: A run with a detector.
        fakes: Further test generators: names and what `dcgan.load_images` loads. Defaults to None.
        progress: Called after each step. Defaults to None.

    Returns:
        The report, see `evaluation.evaluate`.

    Raises:
        InputError: If the run has no detector, or images cannot be used.
    """
    config = run.load_config()
    paths = DetectorFiles(run)
    detector = load(paths.detector)
    settings = paths.load_settings()
    count = round(settings.pool_size * _FAKES)
    given = {
        name: _load_fakes(source, detector.image_shape, count) for name, source in (fakes or {}).items()
    }
    reals = Reals.load(config)
    discriminator = sampling.load_model(run.newest_model()).discriminator
    pool = paths.load_pool()
    counter = StepCounter(progress)
    counter.begin("test generators", 2)
    steps = _VAE_STEPS * settings.rebuild_steps
    tested = _built_in(reals.train, counter, count=count, steps=steps) | given
    counter.begin("baselines", 1)
    compared = {
        "raw discriminator": baselines.raw_discriminator(discriminator),
        "same network from scratch": baselines.network_from_scratch(
            discriminator,
            reals.train,
            pool,
            steps=settings.steps,
            batch_size=settings.batch_size,
            seed=settings.seed,
        ),
        "pixel histogram": baselines.histogram_model(reals.train, pool),
    }
    counter.step()
    counter.begin("evaluation", holdout_evaluation.steps())
    report = holdout_evaluation.evaluate(
        detector,
        reals.test[: round(settings.pool_size * _REALS)],
        tested,
        baselines=compared,
        folds=paths.load_folds(),
        on_step=counter.step,
    )
    report["pool"] = pool.counts()
    files.write_text(paths.evaluation, json.dumps(report, indent=1) + "\n")
    publish(run, detector_report.describe(report, detector, reals=reals.test, fakes=tested))
    return report


def _built_in(
    reals: np.ndarray, counter: StepCounter, *, count: int, steps: int
) -> dict[str, np.ndarray]:
    mixture = holdout_generators.pca_mixture(reals, count=count, seed=_SEED)
    counter.step()
    drawn = holdout_generators.variational_autoencoder(reals, count=count, steps=steps, seed=_SEED)
    counter.step()
    return {"PCA mixture": mixture, "VAE": drawn}


def _load_fakes(source: str, image_shape: tuple[int, int, int], count: int) -> np.ndarray:
    """Loads a test generator's fakes, at most `count`, drawn at random."""
    height, _, channels = image_shape
    images = data.load_images(source, split="all", image_size=height, channels=channels).images
    order = np.random.default_rng(0).permutation(len(images))[:count]
    return images[np.sort(order)]
