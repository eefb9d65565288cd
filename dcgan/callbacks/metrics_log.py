"""The epochs' logs as a table on disk."""

import logging
import os
import pathlib
import shutil
import time
from typing import Any

import keras

from dcgan.callbacks import _steps
from dcgan.runs import epoch_table


class MetricsLog(keras.callbacks.Callback):
    """Writes each epoch's logs as a row of a CSV file.

    Unlike `keras.callbacks.CSVLogger`, it replaces the whole file after each epoch, drops the rows of
    later epochs when a training continues from an earlier one, and allows columns that come later
    (validation every few epochs). Values read back exactly. A damaged file is copied to
    `metrics.damaged.csv`, and its readable rows are kept.

    Args:
        path: The file.
        timings: Write the epoch's `seconds` and `steps_per_second` instead of its logs; times differ
            from run to run and so get a file of their own. Defaults to False.

    Example:
        >>> history = model.fit(dataset, epochs=50, callbacks=[MetricsLog("metrics.csv")])
        >>> pathlib.Path("metrics.csv").read_text().splitlines()[0]
        'epoch,d_loss,fake_accuracy,g_loss,real_accuracy'
    """

    def __init__(self, path: str | os.PathLike[str], *, timings: bool = False) -> None:
        super().__init__()
        self.path = pathlib.Path(path)
        self.timings = timings
        self._rows: list[epoch_table.Row] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Reads the rows of earlier epochs."""
        self._rows = self._read()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Drops the rows of this epoch and later ones, and starts the clock."""
        self._rows = [row for row in self._rows if int(row["epoch"]) <= epoch]
        self._steps, self._taken = 0, self._count_taken()
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts steps."""
        self._steps = _steps.done(self, batch)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the epoch's row."""
        seconds = time.perf_counter() - self._start
        taken = self._count_taken()
        # In data of unknown length, Keras's numbers go beyond the end.
        steps = self._steps if taken is None else taken - (self._taken or 0)
        timings = {"seconds": seconds, "steps_per_second": steps / seconds}
        values = timings if self.timings else logs or {}
        row = {name: repr(float(value)) for name, value in values.items()}
        self._rows.append({"epoch": str(epoch + 1), **row})
        epoch_table.write(self.path, self._rows)

    def _count_taken(self) -> int | None:
        """Returns how many steps the model has taken since it was made, if it counts them."""
        step = getattr(self.model, "step", None)
        return int(step.numpy()) if isinstance(step, keras.Variable) else None

    def _read(self) -> list[epoch_table.Row]:
        rows, problem = epoch_table.read(self.path)
        if problem:
            aside = self.path.with_suffix(f".damaged{self.path.suffix}")
            shutil.copyfile(self.path, aside)
            logging.getLogger("dcgan").warning(
                "%s is damaged (%s): copied to %s, continuing with the %d epochs that can be read.",
                self.path,
                problem,
                aside.name,
                len(rows),
            )
        return rows
