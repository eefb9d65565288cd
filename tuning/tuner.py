"""The tuner of a search: runs the trials that an oracle makes."""

import os
import pathlib
import time
from typing import Any

import keras
import keras_tuner

from dcgan.model import DCGAN
from dcgan.system import files
from tuning import trial_records
from tuning.hypermodel import DCGANHyperModel
from tuning.trial_records import TrialError, TrialRecord

_PAUSE = 0.5
_ATTEMPTS = 3


class DCGANTuner(keras_tuner.Tuner):
    """KerasTuner's tuner, whose trials continue from checkpoints and are never trained twice.

    Args:
        oracle: Makes the trials, see `tuning.oracles.make`; reads its former state.
        hypermodel: Builds and trains them.
    """

    def __init__(self, oracle: Any, hypermodel: DCGANHyperModel) -> None:
        oracle.reload()
        project = hypermodel.directory.tuner
        # The oracle knows the space: KerasTuner need not build models to discover it.
        super().__init__(oracle, directory=str(project.parent), project_name=project.name)
        self.hypermodel = hypermodel

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Builds, trains and measures a trial, unless its record says that it has ended."""
        hypermodel, hp, number = self.hypermodel, trial.hyperparameters, trial.trial_id
        known = trial_records.find(hypermodel.directory.records, number)
        if known is not None and dict(known.values) == hypermodel.space.declare(hp):
            return known.to_metrics()
        try:
            record = self._run(number, hp, parent=hp.values.get("tuner/trial_id", ""))
        except Exception as error:
            # Not the trial's fault, as KerasTuner would take it to be: its record could not be written.
            raise keras_tuner.errors.FatalError(str(error)) from error
        self._attempts(number).unlink(missing_ok=True)
        return record.to_metrics()

    def pre_create_trial(self) -> None:
        """Pauses a worker, which would otherwise ask a chief without trials incessantly."""
        if "KERASTUNER_ORACLE_IP" in os.environ:
            time.sleep(_PAUSE)

    def save(self) -> None:
        """Does nothing, as the oracle saves itself and a tuner has no state."""

    def _run(self, number: str, hp: keras_tuner.HyperParameters, *, parent: str) -> TrialRecord:
        directory = self.hypermodel.directory

        def prepare() -> DCGAN:
            before = trial_records.find(directory.records, parent) if parent else None
            if before is not None and before.failed:
                raise TrialError(before.reason)
            self._count_attempt(number)
            keras.utils.clear_session()
            return self.hypermodel.build(hp)

        return self.hypermodel.run(
            number,
            hp,
            prepare,
            parent=parent,
            epochs=hp.values.get("tuner/epochs"),
            checkpoint=directory.checkpoints / number,
            resume=directory.checkpoints / parent if parent else None,
        )

    def _count_attempt(self, number: str) -> None:
        """Gives up on a trial that has killed its process several times, perhaps for want of memory."""
        path = self._attempts(number)
        attempts = int(path.read_text()) if path.is_file() else 0
        if attempts >= _ATTEMPTS:
            raise TrialError(f"Its process has died {attempts} times.")
        files.write_text(path, str(attempts + 1))

    def _attempts(self, number: str) -> pathlib.Path:
        return self.hypermodel.directory.tuner / "attempts" / number
