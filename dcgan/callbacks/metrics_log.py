"""The epochs' logs as a table on disk."""

import csv
import io
import os
import pathlib
import time
from typing import Any

import keras

from dcgan import files


class MetricsLog(keras.callbacks.Callback):
    """Writes each epoch's logs as a row of a CSV file.

    Unlike `keras.callbacks.CSVLogger`, the file is replaced whole after each epoch, rows of later
    epochs are dropped when a training continues from an earlier one, and columns may come later
    (validation each few epochs). Values are written so that they read back exactly.

    Args:
        path: The file.
        timings: Write the epoch's `seconds` and `steps_per_second` instead of its logs; times differ
            from run to run and so get a file of their own. Defaults to False.

    Example:
        >>> model.fit(dataset, epochs=50, callbacks=[MetricsLog("metrics.csv")])
    """

    def __init__(self, path: str | os.PathLike[str], *, timings: bool = False) -> None:
        super().__init__()
        self.path = pathlib.Path(path)
        self.timings = timings
        self._rows: list[dict[str, str]] = read_rows(self.path)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Drops the rows of this epoch and later ones, and starts the clock."""
        self._rows = [row for row in self._rows if int(row["epoch"]) <= epoch]
        self._steps = 0
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts steps."""
        self._steps = batch + 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the epoch's row."""
        seconds = time.perf_counter() - self._start
        timings = {"seconds": seconds, "steps_per_second": self._steps / seconds}
        values = timings if self.timings else logs or {}
        row = {name: repr(float(value)) for name, value in values.items()}
        self._rows.append({"epoch": str(epoch + 1), **row})
        self._write()

    def _write(self) -> None:
        names = list(dict.fromkeys(name for row in self._rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        files.write_text(self.path, text.getvalue())


def read_rows(path: str | os.PathLike[str]) -> list[dict[str, str]]:
    """Reads a `MetricsLog`'s file: a row an epoch, values as text, "" where there is none.

    Args:
        path: The file; it need not exist.
    """
    if not pathlib.Path(path).is_file():
        return []
    with pathlib.Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
