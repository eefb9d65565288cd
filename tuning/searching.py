"""A search from scratch, or from where it was interrupted."""

import contextlib
import dataclasses
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras_tuner
import numpy as np

from dcgan import data, features
from dcgan.config import RunConfig
from dcgan.errors import InputError
from tuning import distributed, oracles, search_report, trial_records
from tuning.hypermodel import DCGANHyperModel
from tuning.search_config import Budget, SearchConfig
from tuning.search_directory import SearchDirectory
from tuning.space import Space
from tuning.trial_records import TrialRecord
from tuning.tuner import DCGANTuner

Listener = Callable[[Sequence[TrialRecord]], None]


@dataclasses.dataclass(frozen=True)
class SearchResult:
    """What `search` found.

    Attributes:
        directory: Its files.
        records: All trials, in the order in which they ended.
        ranked: Those that did not fail, each configuration once, best first.
    """

    directory: SearchDirectory
    records: Sequence[TrialRecord]
    ranked: Sequence[TrialRecord]

    @property
    def best(self) -> TrialRecord:
        """The best trial.

        Raises:
            InputError: If all trials have failed.
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
        return self.directory.load_best()


def search(
    config: SearchConfig,
    out: str | os.PathLike[str],
    *,
    space: Space | None = None,
    budget: Budget | None = None,
    beyond_loopback: bool = False,
    images: data.ImageSet | np.ndarray | None = None,
    reference: features.Reference | None = None,
    on_change: Listener = lambda ended: None,
) -> SearchResult:
    """Searches for the best hyper-parameters, or continues an interrupted search.

    A search that is killed at any moment and called again ends with the same trials as one that was
    not, and trains none of them twice. With a larger budget it continues from where it had ended.
    It ends after three trials in a row that raised an error, and tries those again when it is continued.

    With KerasTuner's environment variables this process is the search's chief or one of its workers, see
    `tuning.distributed`; all of them share the directory. Workers end trials in an order that varies.

    Args:
        config: What to search.
        out: The search's directory; made if needed.
        space: What may change. Defaults to `Space()`.
        budget: When it ends. Defaults to one iteration of Hyperband, or to 20 trials.
        beyond_loopback: Whether a chief may listen at an address that other machines can reach; any of
            them can then take part. Defaults to False.
        images: The images, of which a fifth is held out to compare with; given again when a search is
            continued. Defaults to those of `config.base`.
        reference: What samples are measured against. Defaults to the images that are held out.
        on_change: Called with all records after each trial. Defaults to nothing.

    Returns:
        The trials; `trials.csv`, `trials.json`, `best.json` and `report.html` are in `out`.

    Raises:
        InputError: If the data, the directory, the space or the config cannot be used, or a worker's
            chief does not answer, or three trials in a row have raised an error.

    Example:
        >>> config = tuning.SearchConfig(
        ...     base=dcgan.presets.get("mnist"), algorithm="random", epochs=1
        ... )
        >>> result = tuning.search(config, "runs/tune", budget=tuning.Budget(trials=2))
        >>> len(result.records)
        2
    """
    role = distributed.role()
    if role == distributed.CHIEF:
        distributed.check_address(beyond_loopback=beyond_loopback)
    space = space or Space()
    budget = (budget or Budget()).for_algorithm(config.algorithm)
    directory = SearchDirectory(out)
    if images is None:
        directory.check(config, space)
    hypermodel = DCGANHyperModel(
        config, out, space=space, images=images, reference=reference, minutes=budget.minutes
    )
    if role == distributed.WORKER:
        with _quiet():
            distributed.work(_make_tuner(hypermodel, budget, on_change))
        return _check_breakdown(_collect(directory))
    with directory.lock():
        _ = hypermodel.goal
        hypermodel.claim()
        with _concluding(directory), _quiet():
            tuner = _make_tuner(hypermodel, budget, on_change)
            _take_back_errors(directory, tuner.oracle)
            distributed.serve(tuner) if role else _search_here(tuner)
    return _check_breakdown(_collect(directory))


def run(tuner: keras_tuner.Tuner, *args: Any, **kwargs: Any) -> SearchResult:
    """Searches with any tuner of KerasTuner's, and writes what `search` writes.

    A directory holds one search: records of trials that the tuner does not know, as after
    `overwrite=True`, are removed.

    Args:
        tuner: A tuner over a `DCGANHyperModel`.
        *args: Passed to its `search`.
        **kwargs: Passed to its `search`.

    Returns:
        As `search`.

    Raises:
        InputError: If the hyper-model's directory holds another search, or so many trials in a row have
            failed as the tuner's `max_consecutive_failed_trials` says.

    Example:
        >>> config = tuning.SearchConfig(base=dcgan.presets.get("mnist"), epochs=1)
        >>> hypermodel = tuning.DCGANHyperModel(config, "runs/random")
        >>> tuner = keras_tuner.RandomSearch(
        ...     hypermodel, hypermodel.objective, max_trials=2, directory="runs/random"
        ... )
        >>> len(tuning.run(tuner, verbose=0).records)
        2
    """
    hypermodel = tuner.hypermodel
    hypermodel.claim()
    oracles.restore_grid(tuner.oracle)
    if isinstance(tuner.oracle, keras_tuner.Oracle):
        hypermodel.keep_only(tuner.oracle.trials)
    with _concluding(hypermodel.directory):
        try:
            tuner.search(*args, **kwargs)
        except RuntimeError as error:
            _record_errors(tuner)
            ended = trial_records.read_all(hypermodel.directory.records)
            failed = trial_records.latest(ended, lambda record: record.failed)
            # KerasTuner's limit of consecutive failures, to be told from other errors by its text only.
            if not failed or "consecutive failures" not in str(error):
                raise
            raise InputError(_describe_breakdown(hypermodel.directory, failed)) from error
        _record_errors(tuner)
    return _collect(hypermodel.directory)


def _make_tuner(hypermodel: DCGANHyperModel, budget: Budget, on_change: Listener) -> DCGANTuner:
    config, directory = hypermodel.config, hypermodel.directory
    oracle = oracles.make(
        config, budget, space=hypermodel.space, path=directory.oracle, origin=hypermodel.origin
    )

    def on_trial_end() -> None:
        ended = trial_records.write_tables(directory)
        oracle.broken = bool(trial_records.find_breakdown(ended))
        best = [record.trial for record in trial_records.rank(ended, direction=config.direction)]
        _prune(directory, ended, kept={*oracle.promotable(), *best[:1]})
        on_change(ended)

    oracle.on_trial_end = on_trial_end
    return DCGANTuner(oracle, hypermodel)


def _search_here(tuner: DCGANTuner) -> None:
    try:
        tuner.search(verbose=0)
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or error from None


def _take_back_errors(directory: SearchDirectory, oracle: Any) -> None:
    """Reopens the trials whose errors ended the search: their cause may have been fixed."""
    broken = trial_records.find_breakdown(trial_records.read_all(directory.records))
    if broken:
        oracle.take_back([record.trial for record in broken])
    for record in broken:
        record.delete(directory.records)


def _record_errors(tuner: keras_tuner.Tuner) -> None:
    """Records the trials whose models could not be built, of which only KerasTuner knows."""
    hypermodel = tuner.hypermodel
    for number, trial in getattr(tuner.oracle, "trials", {}).items():
        if trial.message and trial_records.find(hypermodel.directory.records, number) is None:
            hypermodel.record_error(number, trial.hyperparameters, _error_of(trial.message))


def _error_of(traceback: str) -> str:
    """Returns the first line of the error, which follows the indented lines of the traceback."""
    frames = itertools.takewhile(lambda line: not line.startswith(" "), reversed(traceback.splitlines()))
    return list(frames)[-1]


def _prune(directory: SearchDirectory, ended: Sequence[TrialRecord], *, kept: set[str]) -> None:
    """Removes the checkpoints of ended trials that no later one will continue."""
    for record in ended:
        if record.trial not in kept:
            shutil.rmtree(directory.checkpoints / record.trial, ignore_errors=True)


def _collect(directory: SearchDirectory) -> SearchResult:
    config, _ = directory.load()
    ended = trial_records.read_all(directory.records)
    return SearchResult(directory, ended, trial_records.rank(ended, direction=config.direction))


def _check_breakdown(result: SearchResult) -> SearchResult:
    if broken := trial_records.find_breakdown(result.records):
        raise InputError(_describe_breakdown(result.directory, broken))
    return result


def _describe_breakdown(directory: SearchDirectory, broken: Sequence[TrialRecord]) -> str:
    first = broken[0]
    return (
        f"{directory.path}: {len(broken)} trials in a row failed, the first, trial {first.trial}, with: "
        f"{first.reason}. Fix the cause and repeat the search, which then goes on, or start another one "
        "in a space without such values"
    )


@contextlib.contextmanager
def _concluding(directory: SearchDirectory) -> Iterator[None]:
    """Writes tables and report at the end, and when the search is interrupted."""
    try:
        yield
    except (KeyboardInterrupt, InputError):
        search_report.write(directory)
        raise
    search_report.write(directory)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps KerasTuner's messages out of standard output."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        yield
