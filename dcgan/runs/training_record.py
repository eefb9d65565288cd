"""How a run's training ended, `training.json`, and what that makes of its newest model."""

import dataclasses
import json
import pathlib
from typing import Self

from dcgan.errors import InputError
from dcgan.system import files

FINISHED = "finished"
STOPPED = "stopped"
LIMITED = "limited"
BROKEN_OFF = "broken_off"
UNFINISHED = "unfinished"
UNRECORDED = "unrecorded"
_ORDERLY = (FINISHED, STOPPED, LIMITED, BROKEN_OFF, UNFINISHED, UNRECORDED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """How the last training in a run's directory ended.

    Attributes:
        epochs: Complete epochs behind it.
        planned: How many epochs the config asked for.
        reason: One of the constants above, or the `reason` of a `TrainingGuard`.
        message: A sentence about it.
        model_epochs: Complete epochs behind `dcgan.keras`; None if there is no such file.
    """

    epochs: int
    planned: int
    reason: str
    message: str
    model_epochs: int | None

    @classmethod
    def load(cls, path: pathlib.Path) -> Self | None:
        """Reads a record; None if there is none.

        Raises:
            InputError: If it is damaged.
        """
        if not path.is_file():
            return None
        values = files.read_json(path, "a record of how training ended")
        try:
            return cls(**values)
        except TypeError:
            raise InputError(f"{path}: expected a record of how training ended") from None

    def save(self, path: pathlib.Path) -> None:
        """Writes the record, whole or not at all."""
        files.write_text(path, json.dumps(dataclasses.asdict(self), indent=2) + "\n")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trained:
    """A run's newest model and the training behind it.

    Attributes:
        path: Its file: `dcgan.keras` or a checkpoint.
        epochs: Complete epochs behind it.
        planned: How many epochs the run's config asks for.
        reason: See `TrainingRecord`; `UNFINISHED` if training was killed or goes on, `UNRECORDED` if
            nothing is known.
        message: A sentence about it.
    """

    path: pathlib.Path
    epochs: int
    planned: int
    reason: str
    message: str

    @property
    def finished(self) -> bool:
        """Whether all planned epochs are behind the model."""
        return self.reason == FINISHED

    def describe(self) -> dict[str, int | str]:
        """Returns all but the path, as JSON values."""
        values = dataclasses.asdict(self)
        del values["path"]
        return values


def failed(reason: str) -> bool:
    """Whether training ended because it had gone wrong, as a `TrainingGuard` found."""
    return reason not in _ORDERLY


def resolve(path: pathlib.Path, record: TrainingRecord | None, *, epochs: int, planned: int) -> Trained:
    """Says how the training behind a model ended.

    Args:
        path: The model's file.
        record: The run's record, which may be older than the model.
        epochs: Complete epochs behind the model.
        planned: How many epochs the run's config asks for.
    """
    if record is None and not path.name.startswith("epoch_"):
        reason, message = UNRECORDED, "The run has no record of how its training ended (training.json)."
    elif record is None or epochs > record.epochs or planned != record.planned:
        reason = UNFINISHED
        after = f"after {epochs} of {planned} epochs"
        message = f"The run is not finished: this is its newest checkpoint, {after}."
    else:
        reason, message = record.reason, record.message
    return Trained(path=path, epochs=epochs, planned=planned, reason=reason, message=message)
