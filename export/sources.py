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
    """Returns the run that is meant, or None for a model in memory.

    Raises:
        InputError: If a path is no run's.
    """
    if isinstance(source, RunDirectory):
        return source
    return RunDirectory.open(source) if isinstance(source, (str, os.PathLike)) else None


def load_scoring_model(source: Source) -> tuple[ScoringModel, str]:
    """Returns what scores images, and of which kind it is.

    Args:
        source: A run, whose detector is taken if it has one and its discriminator otherwise; a
            `Detector`; or a `DCGAN`, of which the discriminator is taken.

    Raises:
        InputError: If a run has no model, or its files are damaged.
    """
    run = as_run(source)
    if run is not None and run.detector.is_file():
        return detector.load(run.detector), DETECTOR
    model: Any = source if run is None else sampling.load_model(run.newest_model())
    if isinstance(model, DCGAN):
        return DiscriminatorScorer(model.discriminator), DISCRIMINATOR
    return model, DETECTOR


def load_generator(source: Source) -> DCGAN:
    """Returns the model whose generator draws.

    Raises:
        InputError: If a run has no model, or its files are damaged.
    """
    run = as_run(source)
    model: Any = source if run is None else sampling.load_model(run.newest_model())
    return model


def candidate_base(given: str | os.PathLike[str] | None, run: RunDirectory | None) -> pathlib.Path:
    """Returns the directory of candidates that was given, or else the run's own.

    Raises:
        ValueError: If there is neither.
    """
    return _base(given, None if run is None else run.candidates)


def live_base(given: str | os.PathLike[str] | None, run: RunDirectory | None) -> pathlib.Path:
    """Returns the directory of live models that was given, or else the run's own.

    Raises:
        ValueError: If there is neither.
    """
    return _base(given, None if run is None else run.serving)


def _base(given: str | os.PathLike[str] | None, of_run: pathlib.Path | None) -> pathlib.Path:
    if given is not None:
        return pathlib.Path(given)
    if of_run is None:
        raise ValueError("Expected a base directory for a model that is no run. Received: None")
    return of_run
