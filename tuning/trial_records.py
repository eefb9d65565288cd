"""What is known of each trial that has ended: a JSON file each, and tables of all."""

import csv
import dataclasses
import io
import itertools
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dcgan.errors import InputError
from dcgan.system import files
from tuning.search_directory import SearchDirectory

DONE, STOPPED, CUT, FAILED, ERROR = "done", "stopped", "cut", "failed", "error"
# This many errors in a row are the environment's fault. KerasTuner has the same limit.
_MOST_ERRORS = 3
_COLUMNS = ("trial", "status", "score", "epochs", "first_epoch", "parent", "elapsed", "worker")


class TrialError(Exception):
    """A trial that cannot be trained; its text is the whole reason, in one line."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """How a trial of a `SearchResult` ended.

    Attributes:
        trial: Its number, as text.
        status: "done"; "stopped", if it fell behind the median of finished trials; "cut", if the
            search's time was over; "failed", if its training diverged or collapsed; "error", if it
            raised one.
        score: The objective; a failed trial's is a penalty for KerasTuner.
        reason: Why it ended early; "" if it did not.
        values: The hyper-parameters that matter.
        parent: The trial that it continued, in a later rung; "" for a new one.
        first_epoch: The epochs that the parent was trained for.
        epochs: The epochs that the model was trained for, the parent's included.
        metrics: The last metrics; a failed trial's are penalties too.
        curve: Pairs of epochs and objective.
        seconds: The time of each part: "build", "first_step", "train", "measure", "save" and "total".
        elapsed: Seconds from the search's begin to the trial's end, less the time it did not run.
        ended: When the trial ended, as `time.time`.
        worker: The worker that ran it.
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
    ended: float = 0.0
    worker: str = ""

    @property
    def failed(self) -> bool:
        """Whether it has no score of its own."""
        return self.status in (FAILED, ERROR)

    def save(self, directory: pathlib.Path) -> None:
        """Writes the record atomically."""
        files.write_text(
            directory / f"{self.trial}.json", json.dumps(dataclasses.asdict(self), indent=1)
        )

    def delete(self, directory: pathlib.Path) -> None:
        """Removes the record."""
        (directory / f"{self.trial}.json").unlink(missing_ok=True)

    def to_metrics(self) -> dict[str, float]:
        """Returns what KerasTuner needs to know of the trial."""
        trained = float(self.epochs - self.first_epoch)
        return {**self.metrics, "trained_epochs": trained, "failed": float(self.failed)}

    def to_row(self) -> dict[str, Any]:
        """Returns the record for tables: a failed trial has no score and no metrics there."""
        row = dataclasses.asdict(self)
        return {**row, "score": None, "metrics": {}} if self.failed else row


def find(directory: pathlib.Path, trial: str) -> TrialRecord | None:
    """Returns the record of a trial; None if it has not ended."""
    path = directory / f"{trial}.json"
    return _read(path) if path.is_file() else None


def read_all(directory: pathlib.Path) -> list[TrialRecord]:
    """Returns all records, in the order in which the trials ended.

    Raises:
        InputError: If a file is damaged.
    """
    records = [_read(path) for path in directory.glob("[!.]*.json")]
    return sorted(records, key=lambda record: (record.ended, record.elapsed))


def rank(records: Sequence[TrialRecord], *, direction: str) -> list[TrialRecord]:
    """Returns the trials that did not fail, best first; each configuration once, as it was last."""
    surpassed = {record.parent for record in records if not record.failed}
    latest = [record for record in records if not record.failed and record.trial not in surpassed]
    return sorted(latest, key=lambda record: record.score, reverse=direction == "max")


def find_breakdown(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Returns the errors that end a search: the last trials, if at least three in a row raised one.

    Args:
        records: All records, in the order in which the trials ended.
    """
    errors = latest(records, lambda record: record.status == ERROR)
    return errors if len(errors) >= _MOST_ERRORS else []


def latest(records: Sequence[TrialRecord], wanted: Callable[[TrialRecord], bool]) -> list[TrialRecord]:
    """Returns the last records for which all `wanted` holds."""
    return list(itertools.takewhile(wanted, reversed(records)))[::-1]


def write_tables(directory: SearchDirectory) -> list[TrialRecord]:
    """Writes `trials.csv`, `trials.json` and, once a trial has succeeded, `best.json`.

    Returns:
        The records of the trials that have ended.
    """
    config, space = directory.load()
    ended = read_all(directory.records)
    rows = [record.to_row() for record in ended]
    files.write_text(directory.trials_json, json.dumps(rows, indent=1) + "\n")
    files.write_text(directory.trials_csv, to_csv(ended))
    if best := rank(ended, direction=config.direction):
        space.to_config(config.base, best[0].values).save(directory.best)
    else:
        directory.best.unlink(missing_ok=True)
    return ended


def to_csv(records: Sequence[TrialRecord]) -> str:
    """Returns a table with a row for each trial and a column for each metric and hyper-parameter."""
    rows = [record.to_row() for record in records]
    names = dict.fromkeys(name for row in rows for name in (*row["metrics"], *row["values"]))
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_COLUMNS, "seconds", *names, "reason"], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        fixed = {name: row[name] for name in (*_COLUMNS, "reason")}
        seconds = row["seconds"].get("total", 0.0)
        writer.writerow({**fixed, "seconds": seconds, **row["metrics"], **row["values"]})
    return text.getvalue()


def _read(path: pathlib.Path) -> TrialRecord:
    try:
        return TrialRecord(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: expected the record of a trial, delete it ({error})") from None
