"""Samples and scalars of every epoch for TensorBoard."""

import contextlib
import os
import pathlib
from typing import Any

import keras
import tensorflow as tf

from dcgan.callbacks import _samples
from dcgan.system import files

_SUFFIX = ".dcgan"


class TensorBoardImages(keras.callbacks.Callback):
    """Writes grids of generated images and the epoch's scalars to TensorBoard event files.

    The image has the tag `samples`, a scalar the tag `epoch/<name in the logs>`, and the step is the
    epoch counted from 1. What an interrupted training wrote of epochs that are repeated is removed.
    `keras.callbacks.TensorBoard` may write to the same directory; its files stay as they are.

    Args:
        log_dir: Directory of the event files; made if missing.
        count: Images in a grid. Defaults to 16.
        seed: Seed of the latents, the same at every epoch. Defaults to 0.
        every: Epochs between two grids; scalars are written after each. Defaults to 1.

    Raises:
        ValueError: If `count` or `every` is not above zero.

    Example:
        >>> history = model.fit(dataset, epochs=50, callbacks=[TensorBoardImages("logs")])
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        *,
        count: int = 16,
        seed: int = 0,
        every: int = 1,
    ) -> None:
        super().__init__()
        _samples.check_positive(count=count, every=every)
        self.log_dir = pathlib.Path(log_dir)
        self.count = count
        self.seed = seed
        self.every = every
        self._writer: Any = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Opens an event file at the first epoch, and drops what earlier files hold from there on."""
        if self._writer is None:
            _drop_later_epochs(self.log_dir, epoch)
            self._writer = tf.summary.create_file_writer(str(self.log_dir), filename_suffix=_SUFFIX)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the scalars of epoch `epoch + 1`, and the grid if it is due."""
        step = epoch + 1
        # keras.callbacks.TensorBoard(update_freq=n) leaves a condition on the batch number in
        # force, which would drop these summaries. Leaving the context flushes the file.
        with self._writer.as_default(), tf.summary.record_if(True):
            for name, value in (logs or {}).items():
                tf.summary.scalar(f"epoch/{name}", value, step=step)
            if step % self.every == 0:
                self._write_grid(step)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes the event file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write_grid(self, step: int) -> None:
        samples, columns = _samples.draw(self.model, self.count, seed=self.seed)
        grid = _samples.sheet(samples, columns=columns)
        stack = grid[None, ..., None] if grid.ndim == 2 else grid[None]
        tf.summary.image("samples", stack, step=step)


def _drop_later_epochs(log_dir: pathlib.Path, epochs_done: int) -> None:
    """Removes from this callback's event files what comes after an epoch."""
    for leftover in log_dir.glob(f".events.out.tfevents.*{_SUFFIX}"):
        leftover.unlink()
    for path in log_dir.glob(f"events.out.tfevents.*{_SUFFIX}"):
        events = _read_events(path)
        kept = [record for step, record in events if step <= epochs_done]
        if len(kept) < len(events):
            _write_events(path, kept)


def _read_events(path: pathlib.Path) -> list[tuple[int, bytes]]:
    """Reads steps and records, up to where a killed process has left a half one."""
    records = []
    with contextlib.suppress(tf.errors.DataLossError):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            records.append(record)
    return [(tf.compat.v1.Event.FromString(record).step, record) for record in records]


def _write_events(path: pathlib.Path, records: list[bytes]) -> None:
    with files.write_atomically(path) as temporary, tf.io.TFRecordWriter(str(temporary)) as writer:
        for record in records:
            writer.write(record)
