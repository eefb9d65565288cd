"""The tuner of a search: runs the trials that an oracle makes."""

import pathlib
import shutil
import time
from collections.abc import Callable
from typing import Any

import keras_tuner

from dcgan import files
from tuning import hypermodel as hypermodels
from tuning import trial_records
from tuning.hypermodel import DCGANHyperModel

_WAIT = 0.5
_ATTEMPTS = 3


class DCGANTuner(keras_tuner.Tuner):
    """KerasTuner's tuner, with trials that go on from checkpoints and are never run twice.

    Args:
        oracle: Makes the trials, see `tuning.oracles.make`.
        hypermodel: Builds and trains them.
        on_trial_end: Called when a trial has ended. Defaults to nothing.
    """

    def __init__(
        self,
        oracle: Any,
        hypermodel: DCGANHyperModel,
        *,
        on_trial_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._notify = on_trial_end
        self._asked_in_vain = False
        directory = hypermodel.directory.tuner
        super().__init__(
            oracle, hypermodel, directory=str(directory.parent), project_name=directory.name
        )
        self._attempts = directory / "attempts"

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Builds, trains and measures a trial, unless it has ended already.

        Args:
            trial: The trial.
            *args: Left aside.
            **kwargs: Likewise.

        Returns:
            What was measured.
        """
        hp, number = trial.hyperparameters, trial.trial_id
        values = self.hypermodel.space.declare(hp)
        known = trial_records.find(self.hypermodel.directory.records, number)
        if known is not None and dict(known.values) == values:
            return hypermodels.to_metrics(known)
        parent = hp.values.get("tuner/trial_id", "")
        try:
            self._count_attempt(number)
            model = self._try_build(hp)
        except Exception as error:
            return self.hypermodel.fail(number, values, hypermodels.first_line(error), parent=parent)
        return self.hypermodel.fit(
            hp, model, epochs=hp.values.get("tuner/epochs"), trial=number, parent=parent, saves=True
        )

    def pre_create_trial(self) -> None:
        """Waits a little, when the oracle had no trial just now: KerasTuner would ask without end."""
        if self._asked_in_vain:
            time.sleep(_WAIT)
        self._asked_in_vain = True

    def on_trial_begin(self, trial: Any) -> None:
        """Remembers that there was one."""
        self._asked_in_vain = False

    def on_trial_end(self, trial: Any) -> None:
        """Tells the oracle, and clears away what no trial will go on from."""
        super().on_trial_end(trial)
        (self._attempts / trial.trial_id).unlink(missing_ok=True)
        if not self._is_worker():
            prune(self)
        self._notify()

    def save(self) -> None:
        """Saves the oracle; the tuner has no state of its own."""
        if not self._is_worker():
            self.oracle.save()

    def reload(self) -> None:
        """Reads the oracle's state, where there is one."""
        if not self._is_worker():
            self.oracle.reload()

    def _get_tuner_fname(self) -> str:
        # Whether this exists decides whether a search goes on.
        return str(pathlib.Path(self.project_dir) / "oracle.json")

    def _populate_initial_space(self) -> None:
        """Declares the space without building a model for each of its conditions."""
        hp = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(hp)
        self.oracle.update_space(hp)

    def _count_attempt(self, number: str) -> None:
        """Gives up on a trial whose process has died several times, as for want of memory."""
        path = self._attempts / number
        attempts = int(path.read_text()) if path.is_file() else 0
        if attempts >= _ATTEMPTS:
            raise RuntimeError(f"its process has died {attempts} times")
        files.write_text(path, str(attempts + 1))


def prune(tuner: DCGANTuner) -> None:
    """Removes the checkpoints that no trial will go on from, but for the best.

    Args:
        tuner: The search's, which holds the oracle itself.
    """
    directory = tuner.hypermodel.directory
    ended = trial_records.read_all(directory.records)
    best = [
        record.trial for record in trial_records.rank(ended, direction=tuner.oracle.objective.direction)
    ]
    kept = {*tuner.oracle.promotable(), *best[:1]}
    for path in directory.checkpoints.glob("*"):
        if path.name not in kept and any(path.name == record.trial for record in ended):
            shutil.rmtree(path)
