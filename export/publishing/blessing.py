"""Candidates and their blessing, with the directories and names of TFX.

    <base>/<name>/<version>/
        Format-Serving/                 the SavedModel, where a TFX `Model` holds it
        blessing/BLESSED                or NOT_BLESSED, as TFX's Evaluator writes it
        infra_blessing/INFRA_BLESSED    or INFRA_NOT_BLESSED, as TFX's InfraValidator writes it
        validation.json                 what was found, and the digest of the files that it was found in

So the directory is a TFX `Model`, and the two marks in it are a `ModelBlessing` and an `InfraBlessing`.
The blessing is what `validation.json` says; marks that disagree with it, or files with another digest,
were changed since.

Reference:
    [Pusher](https://www.tensorflow.org/tfx/guide/pusher),
    [InfraValidator](https://www.tensorflow.org/tfx/guide/infra_validator).
"""

import dataclasses
import json
import pathlib
from typing import Any

from dcgan.errors import InputError
from dcgan.runs import training_record
from dcgan.system import files
from export import model_card
from export.publishing import integrity, versions

MODEL = "Format-Serving"
# The directory of each mark, what it says of a good model, and what of any other.
_EVALUATOR = ("blessing", "BLESSED", "NOT_BLESSED")
_INFRA_VALIDATOR = ("infra_blessing", "INFRA_BLESSED", "INFRA_NOT_BLESSED")


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A model that `export_model` or `export_generator` wrote and that is not live yet.

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

    def find_obstacle(self) -> str | None:
        """Returns why it may not be pushed, or None if it may.

        Raises:
            InputError: If its report or its files cannot be read.
        """
        marks = self.marks()
        if len(marks) < 2:
            return "expected a validated candidate; export it again"
        report = self.read_report()
        expected = _marks_of(report)
        if marks != expected:
            return (
                f"expected the marks that validation.json calls for, {' and '.join(expected)}, found "
                f"{' and '.join(marks)}; export it again"
            )
        if marks != (_EVALUATOR[1], _INFRA_VALIDATOR[1]):
            reasons = "; ".join(map(str, report.get("reasons") or []))
            return f"{' and '.join(marks)}, not pushed: {reasons}"
        if integrity.digest(self.path) != report.get("files"):
            return "expected the files that were validated, some have changed; export it again"
        return None

    def is_blessed(self) -> bool:
        """Whether it may be pushed."""
        try:
            return self.find_obstacle() is None
        except InputError:
            return False

    def bless(self, report: dict[str, Any]) -> None:
        """Writes what validation found, in place of any earlier blessing.

        If it is killed on the way, the candidate is not blessed.

        Args:
            report: What `validation.json` holds, JSON values, among them `blessed`, whether the model is
                good enough; `infra_blessed`, whether a server can load and call it; `reasons`, a list;
                and `files`, the digest of what was validated.

        Raises:
            InputError: If the candidate's directory cannot be written to.
        """
        outcomes = zip((_EVALUATOR, _INFRA_VALIDATOR), _marks_of(report), strict=True)
        try:
            for directory, *marks in (_EVALUATOR, _INFRA_VALIDATOR):
                for mark in marks:
                    (self.directory / directory / mark).unlink(missing_ok=True)
            files.write_text(self.validation, json.dumps(report, indent=2) + "\n")
            for (directory, *_), mark in outcomes:
                files.write_text(self.directory / directory / mark, "")
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
    return [Candidate(path) for path in versions.find(model).values()]


def find(model: pathlib.Path, version: int | None) -> Candidate:
    """Returns a candidate.

    Args:
        model: `<base>/<name>`.
        version: Its number; None for the newest.

    Raises:
        InputError: If there is no such candidate.
    """
    found = versions.find(model)
    if not found:
        raise InputError(f"{model}: expected a candidate to push; `dcgan export` makes one")
    if version is not None and version not in found:
        raise InputError(
            f"{model}: expected a candidate's number, one of {list(found)}. Received: {version}"
        )
    return Candidate(found[max(found) if version is None else version])


def _marks_of(report: dict[str, Any]) -> tuple[str, str]:
    """Returns the marks that a report calls for."""
    (_, *evaluator), (_, *infra) = _EVALUATOR, _INFRA_VALIDATOR
    return (
        evaluator[report.get("blessed") is not True],
        infra[report.get("infra_blessed") is not True],
    )
