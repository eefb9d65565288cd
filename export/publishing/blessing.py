"""Candidates and their blessing, with the directories and names of TFX.

    <base>/<name>/<version>/
        Format-Serving/                 the SavedModel, where a TFX `Model` holds it
        blessing/BLESSED                or NOT_BLESSED, as TFX's Evaluator writes it
        infra_blessing/INFRA_BLESSED    or INFRA_NOT_BLESSED, as TFX's InfraValidator writes it
        validation.json                 the reasons

So the directory is a TFX `Model`, and the two marks in it are a `ModelBlessing` and an `InfraBlessing`.

Reference:
    [Pusher](https://www.tensorflow.org/tfx/guide/pusher),
    [InfraValidator](https://www.tensorflow.org/tfx/guide/infra_validator).
"""

import dataclasses
import json
import pathlib
from typing import Any

from dcgan import files
from dcgan.errors import InputError
from dcgan.runs import training_record
from export import model_card
from export.publishing import versions

MODEL = "Format-Serving"
# The directory of each mark, what it says of a good model, and what of any other.
_EVALUATOR = ("blessing", "BLESSED", "NOT_BLESSED")
_INFRA_VALIDATOR = ("infra_blessing", "INFRA_BLESSED", "INFRA_NOT_BLESSED")


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A model that was exported and is not live yet.

    Attributes:
        directory: `<base>/<name>/<version>`.
    """

    directory: pathlib.Path

    @property
    def path(self) -> pathlib.Path:
        """Its SavedModel."""
        return self.directory / MODEL

    @property
    def name(self) -> str:
        """The name the model is served under."""
        return self.directory.parent.name

    @property
    def version(self) -> int:
        """Its number."""
        return int(self.directory.name)

    @property
    def calibrated(self) -> bool:
        """Whether `p_fake` is a probability and decisions keep their promise; False for a generator."""
        return model_card.read(self.path)["calibrated"]

    @property
    def digest(self) -> str:
        """What identifies its weights and signatures, see `saved_model.digest`."""
        return model_card.read(self.path)["digest"]

    @property
    def training(self) -> str:
        """Why the training behind it ended early; empty if it did not, or nothing is known."""
        training = model_card.read(self.path)["training"]
        unsaid = (training_record.FINISHED, training_record.UNRECORDED)
        return "" if training is None or training["reason"] in unsaid else training["message"]

    @property
    def validation(self) -> pathlib.Path:
        """The file with the reasons."""
        return self.directory / "validation.json"

    def marks(self) -> tuple[str, ...]:
        """Returns the names of its marks, two once it is validated."""
        return tuple(
            mark
            for directory, *marks in (_EVALUATOR, _INFRA_VALIDATOR)
            for mark in marks
            if (self.directory / directory / mark).is_file()
        )

    def is_blessed(self) -> bool:
        """Whether it may be pushed."""
        return self.marks() == (_EVALUATOR[1], _INFRA_VALIDATOR[1])

    def bless(self, *, blessed: bool, infra_blessed: bool, report: dict[str, Any]) -> None:
        """Writes what validation found, in place of any earlier blessing.

        If it is killed on the way, the candidate is not blessed.

        Args:
            blessed: Whether the model is good enough.
            infra_blessed: Whether a server can load and call it.
            report: What `validation.json` holds, JSON values.

        Raises:
            InputError: If the candidate's directory cannot be written to.
        """
        outcomes = ((_INFRA_VALIDATOR, infra_blessed), (_EVALUATOR, blessed))
        try:
            for (directory, *marks), _ in outcomes:
                for mark in marks:
                    (self.directory / directory / mark).unlink(missing_ok=True)
            files.write_text(self.validation, json.dumps(report, indent=2) + "\n")
            for (directory, good, bad), is_good in outcomes:
                files.write_text(self.directory / directory / (good if is_good else bad), "")
        except OSError as error:
            raise InputError(
                f"{self.directory}: expected a directory to write to ({error.strerror})"
            ) from None

    def read_report(self) -> dict[str, Any]:
        """Reads `validation.json`.

        Raises:
            InputError: If it is missing or damaged.
        """
        return files.read_json(self.validation, "a validation's report")


def list_candidates(model: pathlib.Path) -> list[Candidate]:
    """Returns a model's candidates, oldest first.

    Args:
        model: `<base>/<name>`; it need not exist.
    """
    return [Candidate(model / str(version)) for version in versions.list_versions(model)]


def find(model: pathlib.Path, version: int | None) -> Candidate:
    """Returns a candidate.

    Args:
        model: `<base>/<name>`.
        version: Its number; None for the newest.

    Raises:
        InputError: If there is no such candidate.
    """
    numbers = versions.list_versions(model)
    if not numbers:
        raise InputError(f"{model}: expected a candidate to push; `dcgan export` makes one")
    if version is not None and version not in numbers:
        raise InputError(
            f"{model}: expected a candidate's number, one of {numbers}. Received: {version}"
        )
    return Candidate(model / str(version or numbers[-1]))
