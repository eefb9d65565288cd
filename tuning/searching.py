"""A search from nothing, or from where it was interrupted."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras_tuner

from dcgan import data, features
from dcgan.config import RunConfig
from dcgan.errors import InputError
from tuning import chief, oracles, results, search_report, trial_records
from tuning.hypermodel import DCGANHyperModel
from tuning.search_config import Budget, SearchConfig
from tuning.search_directory import SearchDirectory
from tuning.space import Space
from tuning.trial_records import TrialRecord
from tuning.tuner import DCGANTuner

Listener = Callable[[Sequence[TrialRecord]], None]


@dataclasses.dataclass(frozen=True)
class SearchResult:
    """What a search leaves.

    Attributes:
        directory: Where its files are.
        records: All trials, in the order of their ends.
        ranked: Those that did not fail, each configuration once, the best first.
    """

    directory: SearchDirectory
    records: Sequence[TrialRecord]
    ranked: Sequence[TrialRecord]

    @property
    def best(self) -> TrialRecord:
        """The best trial.

        Raises:
            InputError: If there is none.
        """
        if not self.ranked:
            reason = self.records[-1].reason if self.records else "no trial has ended"
            raise InputError(f"{self.directory.path}: expected a trial that does not fail: {reason}")
        return self.ranked[0]

    @property
    def best_config(self) -> RunConfig:
        """The best configuration, see `tuning.best_config`.

        Raises:
            InputError: If all trials have failed.
        """
        return results.best_config(self.directory.path)


def search(
    config: SearchConfig,
    out: str | os.PathLike[str],
    *,
    space: Space | None = None,
    budget: Budget | None = None,
    workers: int = 1,
    beyond_loopback: bool = False,
    images: data.ImageSet | None = None,
    reference: features.Reference | None = None,
    on_change: Listener = lambda ended: None,
) -> SearchResult:
    """Searches for the best hyper-parameters, or goes on with a search that was interrupted.

    Killed at any moment and called again, it ends with the same trials as if it had not been, and
    trains none of them twice. With a budget that was raised it goes on from where it had ended. Several
    workers end trials in an order that is not the same every time.

    Where KerasTuner's environment variables name a chief, this process is that chief or one of its
    workers, as they tell. All of them need the same directory.

    Args:
        config: What to search.
        out: The search's directory; made if needed.
        space: What may change. Defaults to `Space()`.
        budget: When it ends. Defaults to one iteration of Hyperband, or to 20 trials.
        workers: Processes on this machine that run trials side by side. Defaults to 1: this one.
        beyond_loopback: Whether a chief may listen at an address that other machines reach; whoever
            reaches it can take part. Defaults to False.
        images: The images to train on, for one worker only. Defaults to those of `config.base`.
        reference: What samples are measured against, likewise. Defaults to the test split.
        on_change: Called with all records when a trial has ended. Defaults to nothing.

    Returns:
        The trials; `trials.csv`, `trials.json`, `best.json` and `report.html` are in `out`.

    Raises:
        InputError: If the data, the directory, the space or the settings cannot be used, or a worker's
            chief does not answer.

    Example:
        >>> result = search(SearchConfig(base=dcgan.presets.get("mnist")), "runs/tune")
        >>> result.best_config.training.batch_size
        64
    """
    role = chief.role()
    _check_workers(role, workers, alone=images is not None or reference is not None)
    if role == chief.CHIEF:
        chief.check_address(beyond_loopback=beyond_loopback)
    space = space or Space()
    budget = (budget or Budget()).for_algorithm(config.algorithm)
    directory = SearchDirectory(out)
    directory.check(config, space)
    hypermodel = DCGANHyperModel(config, out, space=space, images=images, reference=reference)
    if role == chief.WORKER:
        return _work(hypermodel, budget)
    with directory.lock():
        _ = hypermodel.reference
        directory.claim(config, space)
        with _concluding(directory), _quiet():
            if role == chief.CHIEF or workers > 1:
                _coordinate(hypermodel, budget, on_change, workers=0 if role else workers)
            else:
                _search_here(hypermodel, budget, on_change)
    return _collect(directory)


def run(tuner: keras_tuner.Tuner, *args: Any, **kwargs: Any) -> SearchResult:
    """Searches with a tuner of one's own, and writes what `search` writes.

    Args:
        tuner: Any of KerasTuner's, over a `DCGANHyperModel`.
        *args: Passed to its `search`.
        **kwargs: Likewise.

    Returns:
        As `search`.

    Raises:
        InputError: If the hyper-model's directory holds another search.
    """
    hypermodel = tuner.hypermodel
    hypermodel.directory.claim(hypermodel.config, hypermodel.space)
    with _concluding(hypermodel.directory):
        tuner.search(*args, **kwargs)
    return _collect(hypermodel.directory)


def _check_workers(role: str, workers: int, *, alone: bool) -> None:
    if workers < 1:
        raise InputError(f"workers: expected at least 1. Received: {workers}")
    if workers > 1 and role:
        raise InputError("workers: expected 1 where KerasTuner's environment variables are set")
    if workers > 1 and alone:
        raise ValueError("Expected images and reference for one worker only.")


def _search_here(hypermodel: DCGANHyperModel, budget: Budget, on_change: Listener) -> None:
    directory = hypermodel.directory
    oracle = oracles.make(hypermodel.config, budget)
    tuner = DCGANTuner(
        oracle, hypermodel, on_trial_end=lambda: on_change(results.write_tables(directory))
    )
    hypermodel.start(oracle.origin, budget)
    tuner.search(verbose=0)


def _coordinate(
    hypermodel: DCGANHyperModel, budget: Budget, on_change: Listener, *, workers: int
) -> None:
    oracle = oracles.make(hypermodel.config, budget)
    with chief.listening(local=workers > 0):
        tuner = DCGANTuner(oracle, hypermodel)
        hypermodel.start(oracle.origin, budget)
        chief.coordinate(tuner, workers=workers, on_change=on_change)


def _work(hypermodel: DCGANHyperModel, budget: Budget) -> SearchResult:
    """Runs the trials that a chief elsewhere makes."""
    with chief.reporting(), _quiet():
        hypermodel.start(hypermodel.origin, budget)
        chief.work(DCGANTuner(oracles.make(hypermodel.config, budget), hypermodel))
    return _collect(hypermodel.directory)


def _collect(directory: SearchDirectory) -> SearchResult:
    config, _ = directory.load()
    ended = trial_records.read_all(directory.records)
    return SearchResult(directory, ended, trial_records.rank(ended, direction=config.direction))


@contextlib.contextmanager
def _concluding(directory: SearchDirectory) -> Iterator[None]:
    """Writes tables and report at the end, and when the search is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        search_report.write(directory)
        raise
    search_report.write(directory)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what KerasTuner prints from standard output."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        yield
