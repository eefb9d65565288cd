"""A run, measured: figures and pictures in `report.json` and `report.html`."""

import dataclasses
import os
import pathlib
from collections.abc import Callable

from dcgan.evaluation import evaluated_run, measurements, sample_metrics, sample_sections
from dcgan.evaluation.measurements import Classes
from dcgan.evaluation.nearest_images import Comparison
from dcgan.features import FeatureExtractor
from dcgan.metrics import Score
from dcgan.report import parts
from dcgan.runs.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """What `evaluate` found out.

    Attributes:
        scores: By metric, each with extractor, counts, seed and floor.
        features: How near samples come to training images by the extractor's features.
        pixels: Likewise by pixels, in grey levels.
        classes: Shares of the extractor's classes; None for a feature extractor without.
        notes: What a reader must know about the figures.
        json: The file with all figures.
        html: The page with pictures, too.
    """

    scores: dict[str, Score]
    features: Comparison
    pixels: Comparison
    classes: Classes | None
    notes: tuple[str, ...]
    json: pathlib.Path
    html: pathlib.Path


def evaluate(
    run: str | os.PathLike[str],
    *,
    features: FeatureExtractor | str | os.PathLike[str] | None = None,
    count: int = 10_000,
    seed: int = 0,
    on_step: Callable[[str], None] = lambda step: None,
) -> Report:
    """Scores a run's samples against the test split of its data and writes the report.

    The same run, arguments and software give the same files. Real images' statistics are kept in the
    run, so that a second call is quicker.

    Args:
        run: The run's directory; a run that is not finished is measured by its newest checkpoint.
        features: A feature extractor, or what `dcgan.features.load` takes. Defaults to the run's own.
        count: How many samples; no more than there are test or training images. Defaults to 10,000.
        seed: Of every draw. Defaults to 0.
        on_step: Called with what is done next. Defaults to nothing.

    Returns:
        The figures and where they stand.

    Raises:
        InputError: If there is no run, or one of its files, its data or the extractor cannot be used.

    Example:
        >>> report = evaluate("runs/mnist")
        >>> report.scores["frechet_distance"].value
        12.6
    """
    directory = RunDirectory.open(run)
    on_step("Loading the run and its images")
    loaded = evaluated_run.load(directory, extractor=features, count=count, seed=seed)
    of_run = sample_metrics.of_run(loaded)
    found = measurements.find(loaded, on_step=on_step)
    on_step("Writing the report")
    samples = parts.Part(
        name="evaluation",
        rank=0,
        figures=sample_metrics.of_samples(loaded, found),
        sections=sample_sections.of_samples(loaded, found),
    )
    settings = parts.Part(
        name="run", rank=9, figures=of_run, sections=sample_sections.of_run(loaded, of_run)
    )
    parts.publish(directory, samples, settings)
    return Report(
        scores=found.scores,
        features=found.features,
        pixels=found.pixels,
        classes=found.classes,
        notes=loaded.notes,
        json=directory.report_json,
        html=directory.report_html,
    )
