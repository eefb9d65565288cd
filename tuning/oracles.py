"""KerasTuner's oracles, made to survive being killed at any moment and to keep to a budget.

KerasTuner 1.4.8 writes its state in place, so that a kill leaves half a file; forgets at which point of
its draws a Bayesian search was; takes the seed 0 for none; stops a search for good after some failed
trials; and leaves trials behind that it does not know any more.
"""

import json
import pathlib
import shutil
import time
from typing import Any

import keras_tuner
import numpy as np

from dcgan import files
from tuning.search_config import FACTOR, Budget, SearchConfig

_NEVER = 10**9
# As many random points before the first that is chosen; KerasTuner would take three a parameter.
_INITIAL = 8


class _Durable(keras_tuner.Oracle):
    """What all oracles of a search share; stands before KerasTuner's class.

    Args:
        budget: When no new trial is made any more.
        default_epochs: How many epochs a trial has that does not tell.
        **kwargs: KerasTuner's.

    Attributes:
        origin: When the search began, less the time it did not run, as `time.time`.
    """

    def __init__(self, *, budget: Budget, default_epochs: int, **kwargs: Any) -> None:
        self.budget = budget
        self.origin = time.time()
        self._default_epochs = default_epochs
        super().__init__(max_consecutive_failed_trials=_NEVER, **kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Draws the values of a new trial, or ends the search."""
        if self.is_spent():
            return {"status": "STOPPED"}
        return super().populate_space(trial_id)

    def is_spent(self) -> bool:
        """Tells whether a limit is reached."""
        budget, trials = self.budget, self.trials.values()
        return (
            (budget.trials is not None and len(trials) >= budget.trials)
            or (budget.epochs is not None and sum(map(self._epochs_of, trials)) >= budget.epochs)
            or (budget.minutes is not None and time.time() - self.origin >= 60 * budget.minutes)
        )

    def save(self) -> None:
        """Writes the state, whole or not at all."""
        files.write_text(self._get_oracle_fname(), json.dumps(self.get_state()))

    def _save_trial(self, trial: Any) -> None:
        path = pathlib.Path(self._get_trial_dir(trial.trial_id)) / "trial.json"
        files.write_text(path, json.dumps(trial.get_state()))

    def reload(self) -> None:
        """Reads the state, without trials that were begun after it was written.

        KerasTuner writes it while the trial that has just ended still counts as under way.
        """
        state = json.loads(pathlib.Path(self._get_oracle_fname()).read_text(encoding="utf-8"))
        for path in pathlib.Path(self._project_dir).glob("trial_*"):
            if path.name.removeprefix("trial_") not in state["start_order"]:
                shutil.rmtree(path)
        super().reload()
        for trial in set(self._retry_queue) & set(self.end_order):
            self._retry_queue.remove(trial)

    def get_state(self) -> dict[str, Any]:
        """Returns the state as JSON values."""
        return {**super().get_state(), "elapsed": time.time() - self.origin}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from `get_state`."""
        super().set_state(state)
        self.origin = time.time() - state["elapsed"]

    @keras_tuner.synchronized
    def release(self, tuner_id: str) -> None:
        """Leaves the trial of a worker that is gone for good to the others.

        Args:
            tuner_id: The worker.
        """
        self.tuner_ids.discard(tuner_id)
        if (trial := self.ongoing_trials.pop(tuner_id, None)) is not None:
            self._retry_queue.append(trial.trial_id)

    def promotable(self) -> set[str]:
        """Returns the trials that later ones may go on from."""
        return set()

    def _epochs_of(self, trial: Any) -> float:
        if trial.metrics.exists("trained_epochs"):
            # Trials that break off at once count as well, or a search of nothing else would not end.
            return max(1.0, float(trial.metrics.get_last_value("trained_epochs")))
        values = trial.hyperparameters.values
        return values.get("tuner/epochs", self._default_epochs) - values.get("tuner/initial_epoch", 0)


class HyperbandOracle(_Durable, keras_tuner.oracles.HyperbandOracle):
    """Hyperband; without an end if there is a budget."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from `get_state`, as long as this search's own budget allows."""
        super().set_state({**state, "hyperband_iterations": self.hyperband_iterations})

    def promotable(self) -> set[str]:
        """Returns the trials of brackets that are not complete."""
        rounds = [trials for bracket in self._brackets for trials in bracket["rounds"]]
        return {trial["id"] for trials in rounds for trial in trials}


class RandomOracle(_Durable, keras_tuner.oracles.RandomSearchOracle):
    """Random search."""


class BayesianOracle(_Durable, keras_tuner.oracles.BayesianOptimizationOracle):
    """Bayesian search, on scores brought to a scale on which failures do not hide all else."""

    def score_trial(self, trial: Any) -> None:
        """Scores a trial by the inverse hyperbolic sine of the objective: for large ones a logarithm."""
        super().score_trial(trial)
        trial.score = float(np.arcsinh(trial.score))

    def get_state(self) -> dict[str, Any]:
        """Returns the state as JSON values, that of the draws among them."""
        name, keys, *rest = self._random_state.get_state()
        return {**super().get_state(), "random_state": [name, keys.tolist(), *rest]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from `get_state`."""
        super().set_state(state)
        self._random_state.set_state(tuple(state["random_state"]))


def make(config: SearchConfig, budget: Budget) -> Any:
    """Makes the oracle of a search.

    Args:
        config: The search.
        budget: When it ends.
    """
    shared: dict[str, Any] = {
        "budget": budget,
        "default_epochs": config.epochs,
        "objective": keras_tuner.Objective(config.objective, config.direction),
        # KerasTuner takes 0 for none.
        "seed": config.seed + 1,
    }
    if config.algorithm == "hyperband":
        # `None` goes on until the budget is spent.
        iterations = None if budget.given else 1
        return HyperbandOracle(
            max_epochs=config.epochs, factor=FACTOR, hyperband_iterations=iterations, **shared
        )
    if config.algorithm == "random":
        return RandomOracle(max_trials=None, **shared)
    return BayesianOracle(max_trials=None, num_initial_points=_INITIAL, **shared)


def planned_epochs(config: SearchConfig, budget: Budget) -> float | None:
    """Returns how many epochs a search will train at most; None where only its time is limited.

    Args:
        config: The search.
        budget: When it ends.
    """
    if budget.epochs is not None:
        return budget.epochs
    if budget.trials is not None:
        return budget.trials * config.epochs
    return None if budget.given else _hyperband_epochs(make(config, budget))


def _hyperband_epochs(oracle: Any) -> float:
    """Sums over brackets and rounds."""
    total = 0
    for bracket in range(oracle._get_num_brackets()):
        before = 0
        for number in range(oracle._get_num_rounds(bracket)):
            epochs = oracle._get_epochs(bracket, number)
            total += oracle._get_size(bracket, number) * (epochs - before)
            before = epochs
    return total
