"""KerasTuner's oracles, made to survive being killed at any moment and to keep to a budget.

KerasTuner 1.4.8 writes its state in place, so that a kill leaves half a file; forgets at which point of
its draws a Bayesian search was, and all that a grid search has tried; takes the seed 0 for none; and
stops a search for good after some failed trials.
"""

import functools
import json
import math
import pathlib
import time
from collections.abc import Callable, Collection
from typing import Any

import keras_tuner
from keras_tuner.engine import trial as trials

from dcgan.system import files
from tuning.search_config import FACTOR, Budget, SearchConfig
from tuning.space import Space

# All private members of KerasTuner that this package uses; pyproject.toml pins the minor version for
# them, and a test asserts that they exist.
KERAS_TUNER_INTERNALS = {
    keras_tuner.oracles.HyperbandOracle: (
        "_brackets",
        "_get_epochs",
        "_get_num_brackets",
        "_get_size",
    ),
    keras_tuner.oracles.BayesianOptimizationOracle: ("_random_state",),
    keras_tuner.oracles.GridSearchOracle: ("_compare", "_ordered_ids", "_populate_next"),
}

_NEVER = 10**9
# Random points before the first chosen one; KerasTuner would draw three for each hyper-parameter.
_INITIAL = 8


class _Durable(keras_tuner.Oracle):
    """What all oracles of a search share; stands before KerasTuner's class.

    Args:
        path: The file of the state, trials included.
        budget: When to stop making trials.
        origin: When the search began, less the time it did not run, as `time.time`.
        default_epochs: The epochs of a trial that does not name them.
        **kwargs: KerasTuner's arguments.

    Attributes:
        on_trial_end: Called after each trial.
        broken: Whether to make no more trials, since the last ones have raised errors.
    """

    def __init__(
        self, *, path: pathlib.Path, budget: Budget, origin: float, default_epochs: int, **kwargs: Any
    ) -> None:
        self._path = path
        self._budget = budget
        self._origin = origin
        self._default_epochs = default_epochs
        self.on_trial_end: Callable[[], None] = lambda: None
        self.broken = False
        super().__init__(max_consecutive_failed_trials=_NEVER, **kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Draws the values of a new trial, or ends the search."""
        return {"status": "STOPPED"} if self.is_spent() else super().populate_space(trial_id)

    def is_spent(self) -> bool:
        """Returns whether a limit of the budget is reached, or there is no use in more trials."""
        budget, begun = self._budget, self.trials.values()
        return (
            self.broken
            or (budget.trials is not None and len(begun) >= budget.trials)
            or (budget.epochs is not None and sum(map(self._epochs_of, begun)) >= budget.epochs)
            or (budget.minutes is not None and time.time() - self._origin >= 60 * budget.minutes)
        )

    def score_trial(self, trial: Any) -> None:
        """Scores a trial; failed trials rank behind all others.

        Their penalty alone might be better than the score of a trial that finished.
        """
        super().score_trial(trial)
        scored = [other for other in self.trials.values() if other.metrics.exists(self.objective.name)]
        scores = {other.trial_id: self._scale(self._objective_of(other)) for other in scored}
        choose, end = (max, math.inf) if self.objective.direction == "min" else (min, -math.inf)
        behind = math.nextafter(choose(scores.values()), end)
        for other in scored:
            other.score = behind if _has_failed(other) else scores[other.trial_id]

    def end_trial(self, trial: Any) -> None:
        """Ends a trial and reports it."""
        super().end_trial(trial)
        self.on_trial_end()

    def save(self) -> None:
        """Writes the state atomically."""
        files.write_text(self._path, json.dumps(self.get_state()))

    def reload(self) -> None:
        """Reads the state, if there is one."""
        if self._path.is_file():
            self.set_state(json.loads(self._path.read_text(encoding="utf-8")))

    def get_state(self) -> dict[str, Any]:
        """Returns the state as JSON values, all trials included."""
        return {
            **super().get_state(),
            "trials": {name: trial.get_state() for name, trial in self.trials.items()},
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from `get_state`; trials that had not ended are handed out again."""
        self.trials = {name: trials.Trial.from_state(value) for name, value in state["trials"].items()}
        unfinished = [name for name in state["start_order"] if name not in state["end_order"]]
        # KerasTuner takes the last one first; one that continues another comes after it.
        unfinished.reverse()
        super().set_state({**state, "ongoing_trials": {}, "retry_queue": unfinished})

    def take_back(self, names: Collection[str]) -> None:
        """Reopens trials that have ended, so that they run once more."""
        state = self.get_state()
        state["end_order"] = [name for name in state["end_order"] if name not in names]
        for name in names:
            unscored: dict[str, Any] = {"metrics": {"metrics": {}}, "score": None, "status": "RUNNING"}
            state["trials"][name] = {**state["trials"][name], **unscored}
        self.set_state(state)
        self.save()

    def promotable(self) -> set[str]:
        """Returns the trials that later ones may continue."""
        return set()

    def _scale(self, objective: float) -> float:
        """Returns the score that stands for a value of the objective."""
        return objective

    def _objective_of(self, trial: Any) -> float:
        return float(trial.metrics.get_best_value(self.objective.name))

    def _epochs_of(self, trial: Any) -> float:
        if trial.metrics.exists("trained_epochs"):
            # A trial that fails at once counts too, or a search in which all fail would never end.
            return max(1.0, float(trial.metrics.get_last_value("trained_epochs")))
        values = trial.hyperparameters.values
        return values.get("tuner/epochs", self._default_epochs) - values.get("tuner/initial_epoch", 0)


class HyperbandOracle(_Durable, keras_tuner.oracles.HyperbandOracle):
    """Hyperband; with a budget it goes on until that is spent."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from `get_state`, for as many iterations as this session's budget allows."""
        super().set_state({**state, "hyperband_iterations": self.hyperband_iterations})

    def promotable(self) -> set[str]:
        """Returns the trials of brackets that are not complete."""
        rounds = [begun for bracket in self._brackets for begun in bracket["rounds"]]
        return {trial["id"] for begun in rounds for trial in begun}


class RandomOracle(_Durable, keras_tuner.oracles.RandomSearchOracle):
    """Random search."""


class BayesianOracle(_Durable, keras_tuner.oracles.BayesianOptimizationOracle):
    """Bayesian search, on scores scaled so that failures do not hide all other differences."""

    def _scale(self, objective: float) -> float:
        """Returns the inverse hyperbolic sine, a logarithm for large values."""
        return math.asinh(objective)

    def get_state(self) -> dict[str, Any]:
        """Returns the state as JSON values, that of the random draws included."""
        name, keys, *rest = self._random_state.get_state()
        return {**super().get_state(), "random_state": [name, keys.tolist(), *rest]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from `get_state`."""
        super().set_state(state)
        self._random_state.set_state(tuple(state["random_state"]))


def make(
    config: SearchConfig, budget: Budget, *, space: Space, path: pathlib.Path, origin: float
) -> Any:
    """Makes the oracle of a search, whose state is in `path`; for `origin` see `DCGANHyperModel`."""
    hyperparameters = keras_tuner.HyperParameters()
    space.declare(hyperparameters)
    shared: dict[str, Any] = {
        "path": path,
        "budget": budget,
        "origin": origin,
        "default_epochs": config.epochs,
        "hyperparameters": hyperparameters,
        "objective": keras_tuner.Objective(config.objective, config.direction),
        # KerasTuner takes 0 for none.
        "seed": config.seed + 1,
    }
    if config.algorithm == "hyperband":
        # `None` goes on until the budget is spent.
        shared["hyperband_iterations"] = None if budget.given else 1
        return HyperbandOracle(max_epochs=config.epochs, factor=FACTOR, **shared)
    if config.algorithm == "random":
        return RandomOracle(max_trials=None, **shared)
    return BayesianOracle(max_trials=None, num_initial_points=_INITIAL, **shared)


def restore_grid(oracle: Any) -> None:
    """Restores what a reloaded grid search has tried, which KerasTuner does not save."""
    if not isinstance(oracle, keras_tuner.oracles.GridSearchOracle) or oracle._populate_next:
        return

    def compare(one: str, other: str) -> int:
        values = [oracle.trials[name].hyperparameters.values for name in (one, other)]
        return oracle._compare(*values)

    previous = None
    for name in sorted(oracle.start_order, key=functools.cmp_to_key(compare)):
        oracle._ordered_ids.insert(name, previous)
        previous = name
    # KerasTuner passes over those whose next point has been tried.
    oracle._populate_next = list(oracle.end_order)


def planned_epochs(config: SearchConfig, budget: Budget) -> float | None:
    """Returns the most epochs that a search will train; None if only its time is limited."""
    if budget.given:
        return budget.epochs or (budget.trials and budget.trials * config.epochs)
    oracle = keras_tuner.oracles.HyperbandOracle(
        keras_tuner.Objective(config.objective, config.direction), config.epochs, FACTOR
    )
    total = 0
    for bracket in range(oracle._get_num_brackets()):
        before = 0
        for number in range(bracket + 1):
            epochs = oracle._get_epochs(bracket, number)
            total += oracle._get_size(bracket, number) * (epochs - before)
            before = epochs
    return total


def _has_failed(trial: Any) -> bool:
    return trial.metrics.exists("failed") and bool(trial.metrics.get_last_value("failed"))
