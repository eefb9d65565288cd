"""Samples and scalars of every epoch for TensorBoard."""

import os
from typing import Any

import keras
import tensorflow as tf

from dcgan.callbacks import _samples


class TensorBoardImages(keras.callbacks.Callback):
    """Writes grids of generated images and the epoch's scalars to TensorBoard event files.

    The image has the tag `samples`, a scalar the tag `epoch/<name in the logs>`, and the step is
    the epoch counted from 1, as in the files of `ImageGrid`; a run that goes on with
    `initial_epoch` goes on with the steps. `keras.callbacks.TensorBoard` may write to the same
    directory: it uses subdirectories and the tags `epoch_<name>`.

    Args:
        log_dir: Directory of the event files; made when missing. Nothing is written elsewhere.
        count: Images in a grid. Defaults to 16.
        seed: Seed of the latents, the same at every epoch. Defaults to 0.
        every: Epochs between two grids; scalars are written after each. Defaults to 1.

    Raises:
        ValueError: If `count` or `every` is not above zero.

    Example:
        >>> model.fit(dataset, epochs=50, callbacks=[TensorBoardImages("runs/mnist/logs")])
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
        self.log_dir = os.fspath(log_dir)
        self.count = count
        self.seed = seed
        self.every = every
        self._writer: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Opens an event file."""
        self._writer = tf.summary.create_file_writer(self.log_dir)

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
        self._writer.close()

    def _write_grid(self, step: int) -> None:
        grid = _samples.sheet(self.model.generate(self.count, seed=self.seed))
        stack = grid[None, ..., None] if grid.ndim == 2 else grid[None]
        tf.summary.image("samples", stack, step=step)
