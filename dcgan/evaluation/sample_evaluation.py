"""A run's samples, evaluated: measured, stored and reported."""

import dataclasses
import os
import pathlib
from collections.abc import Callable

import numpy as np

from dcgan import data, report
from dcgan.evaluation import evaluated_run, measurements, report_parts
from dcgan.evaluation.measurements import Measurements
from dcgan.features import FeatureExtractor
from dcgan.runs.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Report(Measurements):
    """What was measured, and where it is written.

    Attributes:
        notes: What readers must know about the metrics.
        json: The file with all metrics.
        html: The page, which shows charts and pictures, too.
    """

    notes: tuple[str, ...]
    json: pathlib.Path
    html: pathlib.Path


def evaluate(
    run: str | os.PathLike[str],
    *,
    features: FeatureExtractor | str | os.PathLike[str] | None = None,
    images: data.ImageSet | np.ndarray | None = None,
    count: int = 10_000,
    seed: int = 0,
    progress: Callable[[str, float], None] = lambda part, share: None,
) -> Report:
    """Scores a run's samples against images that it was not trained on and writes the report.

    If it was trained on its test split as well, a fifth of its images takes their place, as notes say.

    The same run, arguments and software give the same files. The run keeps the statistics of real
    images, so that a second call is quicker.

    Args:
        run: The run's directory; an unfinished run is measured by its newest checkpoint.
        features: A feature extractor, or what `dcgan.features.load` takes. Defaults to the run's own.
        images: The images of a run that was given them, see `dcgan.train`. Defaults to None.
        count: How many samples; at most as many as there are test or training images. Defaults to
            10,000.
        seed: Seed of every draw. Defaults to 0.
        progress: Called with the name of each part and the share of it that is done. Defaults to
            nothing.

    Returns:
        The metrics and where they are written.

    Raises:
        InputError: If there is no run, or one of its files, its data or the extractor cannot be used.

    Example:
        >>> report = dcgan.evaluate("runs/mnist")
        >>> score = report.scores["frechet_distance"]
        >>> score.value > score.floor
        True
    """
    directory = RunDirectory.open(run)
    progress("loading", 0.0)
    evaluated = evaluated_run.load(directory, extractor=features, count=count, seed=seed, given=images)
    progress("loading", 1.0)
    run_part = report_parts.describe_run(evaluated)
    found = measurements.measure(evaluated, progress=progress)
    report.publish(directory, report_parts.describe_samples(evaluated, found), run_part)
    return Report(
        **vars(found), notes=evaluated.notes, json=directory.report_json, html=directory.report_html
    )
