"""What is known of each trial that has ended: a JSON file each, whole or not there."""

import csv
import dataclasses
import io
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from dcgan import files
from dcgan.errors import InputError

DONE, STOPPED, CUT, FAILED = "done", "stopped", "cut", "failed"
_COLUMNS = (
    "trial",
    "status",
    "score",
    "epochs",
    "first_epoch",
    "parent",
    "seconds",
    "elapsed",
    "worker",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """How a trial ended.

    Attributes:
        trial: Its number, as text.
        status: "done"; "stopped", once it was behind the median of finished trials; "cut", when the
            search's time was over; "failed", for a training that diverged, collapsed or broke off.
        score: The objective; for a failed trial one worse than any that learns.
        reason: Why it did not go on; "" if it did.
        values: The hyper-parameters that matter.
        parent: The trial it went on from, in a later rung; "" for a new one.
        first_epoch: How many epochs that had behind it.
        epochs: How many epochs this one has behind it.
        metrics: Everything that was measured last.
        curve: Pairs of epochs and objective.
        seconds: What took how long: "build", "first_step", "train", "measure", "save" and "total".
        elapsed: Seconds of the search until the trial ended.
        worker: Who ran it.
    """

    trial: str
    status: str
    score: float
    reason: str = ""
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    parent: str = ""
    first_epoch: int = 0
    epochs: float = 0
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    curve: Sequence[Sequence[float]] = ()
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    elapsed: float = 0.0
    worker: str = ""

    @property
    def failed(self) -> bool:
        """Whether its training failed."""
        return self.status == FAILED

    def save(self, directory: pathlib.Path) -> None:
        """Writes the record, atomically."""
        files.write_text(_path(directory, self.trial), json.dumps(dataclasses.asdict(self), indent=1))


def find(directory: pathlib.Path, trial: str) -> TrialRecord | None:
    """Returns the record of a trial; None if it has not ended."""
    path = _path(directory, trial)
    return _read(path) if path.is_file() else None


def read_all(directory: pathlib.Path) -> list[TrialRecord]:
    """Returns all records, in the order of the trials' ends.

    Raises:
        InputError: If a file is damaged.
    """
    records = [_read(path) for path in directory.glob("[!.]*.json")]
    return sorted(records, key=lambda record: (record.elapsed, record.trial))


def rank(records: Sequence[TrialRecord], *, direction: str) -> list[TrialRecord]:
    """Returns the trials that did not fail, best first; each configuration once, as it stood last.

    Args:
        records: All trials.
        direction: "min" or "max".
    """
    surpassed = {record.parent for record in records if not record.failed}
    latest = [record for record in records if not record.failed and record.trial not in surpassed]
    return sorted(latest, key=lambda record: record.score, reverse=direction == "max")


def to_csv(records: Sequence[TrialRecord]) -> str:
    """Returns a table with a row a trial and a column a hyper-parameter and metric."""
    names = list(dict.fromkeys(name for record in records for name in record.values))
    metrics = list(dict.fromkeys(name for record in records for name in record.metrics))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *metrics, *names, "reason"])
    for record in records:
        fixed = [getattr(record, name) for name in _COLUMNS]
        fixed[_COLUMNS.index("seconds")] = record.seconds.get("total", 0.0)
        measured = [record.metrics.get(name, "") for name in metrics]
        values = [record.values.get(name, "") for name in names]
        writer.writerow([*fixed, *measured, *values, record.reason])
    return text.getvalue()


def to_json(records: Sequence[TrialRecord]) -> str:
    """Returns all records as a JSON list."""
    return json.dumps([dataclasses.asdict(record) for record in records], indent=1) + "\n"


def _path(directory: pathlib.Path, trial: str) -> pathlib.Path:
    return directory / f"{trial}.json"


def _read(path: str | os.PathLike[str]) -> TrialRecord:
    try:
        return TrialRecord(**json.loads(pathlib.Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: expected the record of a trial, delete it ({error})") from None
