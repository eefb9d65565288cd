"""Candidates: models beside what validation found, with the directories and names of TFX.

    <base>/<name>/<version>/
        Format-Serving/                 the SavedModel, where a TFX `Model` holds it
        blessing/BLESSED                or NOT_BLESSED, as TFX's Evaluator writes it
        infra_blessing/INFRA_BLESSED    or INFRA_NOT_BLESSED, as TFX's InfraValidator writes it
        validation.json                 the reasons

So the directory is a TFX `Model`, and the two in it are a `ModelBlessing` and an `InfraBlessing`.

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
from export.publishing import versions

MODEL = "Format-Serving"
BLESSED, INFRA_BLESSED = "BLESSED", "INFRA_BLESSED"
_BLESSING, _INFRA_BLESSING = "blessing", "infra_blessing"
_NOT = {BLESSED: "NOT_BLESSED", INFRA_BLESSED: "INFRA_NOT_BLESSED"}


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A model that is not live yet.

    Attributes:
        path: Its directory, `<base>/<name>/<version>`.
    """

    path: pathlib.Path

    @property
    def version(self) -> int:
        """Its number."""
        return int(self.path.name)

    @property
    def model(self) -> pathlib.Path:
        """The SavedModel."""
        return self.path / MODEL

    @property
    def validation(self) -> pathlib.Path:
        """The file with the reasons."""
        return self.path / "validation.json"

    def marks(self) -> tuple[str, ...]:
        """Returns the names of the marks that it has, two of them once it is validated."""
        places = ((_BLESSING, BLESSED), (_INFRA_BLESSING, INFRA_BLESSED))
        return tuple(
            mark
            for directory, blessed in places
            for mark in (blessed, _NOT[blessed])
            if (self.path / directory / mark).is_file()
        )

    def is_blessed(self) -> bool:
        """Whether it may be pushed."""
        return self.marks() == (BLESSED, INFRA_BLESSED)

    def bless(self, *, blessed: bool, infra_blessed: bool, report: dict[str, Any]) -> None:
        """Writes what validation found, in place of what an earlier one did.

        Killed on the way, it leaves a candidate that is not blessed.

        Args:
            blessed: Whether the model is good enough.
            infra_blessed: Whether a server can load and call it.
            report: What `validation.json` holds, JSON values.

        Raises:
            InputError: If nothing can be written there.
        """
        chosen = {_INFRA_BLESSING: (INFRA_BLESSED, infra_blessed), _BLESSING: (BLESSED, blessed)}
        try:
            for directory, (mark, _) in chosen.items():
                for name in (mark, _NOT[mark]):
                    (self.path / directory / name).unlink(missing_ok=True)
            files.write_text(self.validation, json.dumps(report, indent=2) + "\n")
            for directory, (mark, holds) in chosen.items():
                files.write_text(self.path / directory / (mark if holds else _NOT[mark]), "")
        except OSError as error:
            raise InputError(
                f"{self.path}: expected a directory to write to ({error.strerror})"
            ) from None

    def read_report(self) -> dict[str, Any]:
        """Reads `validation.json`.

        Raises:
            InputError: If it is not there or damaged.
        """
        try:
            report = json.loads(self.validation.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{self.validation}: expected a validation's report ({error})") from None
        if not isinstance(report, dict):
            raise InputError(f"{self.validation}: expected a validation's report")
        return report


def list_all(model: pathlib.Path) -> list[Candidate]:
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
