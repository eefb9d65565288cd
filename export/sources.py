"""What can be exported: a run's directory, or a model in memory."""

import os
import pathlib
from typing import Any

from dcgan import detector, sampling
from dcgan.model import DCGAN
from dcgan.runs.run_directory import RunDirectory
from export.graph.scoring_model import DiscriminatorScorer, ScoringModel

DETECTOR, DISCRIMINATOR, GENERATOR = "detector", "discriminator", "generator"

RunPath = RunDirectory | str | os.PathLike[str]
Source = DCGAN | ScoringModel | RunPath


def as_run(source: Any) -> RunDirectory | None:
    """Returns the run if the source is one, or None for a model in memory.

    Raises:
        InputError: If a path does not lead to a run.
    """
    if isinstance(source, RunDirectory):
        return source
    return RunDirectory.open(source) if isinstance(source, (str, os.PathLike)) else None


def load_scoring_model(source: Source) -> tuple[ScoringModel, str]:
    """Returns what scores images, and which kind it is.

    Args:
        source: A run, for its detector or else its discriminator; a `Detector`; or a `DCGAN`, for its
            discriminator.

    Raises:
        InputError: If a run has no model, or its files are damaged.
    """
    run = as_run(source)
    if run is not None and run.detector.is_file():
        return detector.load(run.detector), DETECTOR
    model: Any = load_generator(source)
    if isinstance(model, DCGAN):
        return DiscriminatorScorer(model.discriminator), DISCRIMINATOR
    return model, DETECTOR


def load_generator(source: Any) -> DCGAN:
    """Returns a run's newest model, or the model in memory itself.

    Raises:
        InputError: If a run has no model, or its files are damaged.
    """
    run = as_run(source)
    return source if run is None else sampling.load_model(run.newest_model())


def candidate_base(given: str | os.PathLike[str] | None, run: RunDirectory | None) -> pathlib.Path:
    """Returns the directory of candidates that was given, or else the run's own.

    Raises:
        ValueError: If there is neither.
    """
    return _choose(given, run.candidates if run else None)


def live_base(given: str | os.PathLike[str] | None, run: RunDirectory | None) -> pathlib.Path:
    """Returns the directory of live models that was given, or else the run's own.

    Raises:
        ValueError: If there is neither.
    """
    return _choose(given, run.serving if run else None)


def _choose(given: str | os.PathLike[str] | None, of_run: pathlib.Path | None) -> pathlib.Path:
    base = of_run if given is None else given
    if base is None:
        raise ValueError("Expected a base directory for a model without a run. Received: None")
    return pathlib.Path(base)
