"""A progress bar with losses and time left for Keras's training."""

from typing import Any

import keras
import rich.console
import rich.progress

from dcgan.cli.terminal import progress


class TrainingProgress(keras.callbacks.Callback):
    """Shows all epochs as one bar on standard error, and a line for each finished epoch.

    Args:
        console: Where to show it.
        headline: Text above the bar, from the start of training. Defaults to none.
        lines: What prints a line a minute where there is no terminal. Defaults to none.
    """

    def __init__(
        self, console: rich.console.Console, *, headline: str = "", lines: progress.Parts | None = None
    ) -> None:
        super().__init__()
        self._console = console
        self._headline = headline
        self._lines = lines
        self._progress = progress.make_bars(console, transient=True)
        self._task: rich.progress.TaskID | None = None
        self._first = self._epoch = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Prints the headline."""
        if self._headline:
            length = f"{self.params['epochs']} epochs of {self.params['steps']} steps"
            self._console.print(f"{self._headline}: {length}", highlight=False, soft_wrap=True)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the bar at the first epoch, which is a later one in a resumed run."""
        self._epoch = epoch
        epochs, steps = self.params["epochs"], self.params["steps"]
        if self._task is None:
            self._first = epoch
            if self._lines is not None:
                self._lines.end_bars()
            if self._console.is_terminal:
                self._progress.start()
            self._task = self._progress.add_task("", total=(epochs - epoch) * steps)
        self._progress.update(self._task, description=f"Epoch {epoch + 1}/{epochs}")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves the bar."""
        if self._task is not None:
            self._progress.advance(self._task)
        if self._lines is not None and not self._console.is_terminal:
            epochs, steps = self.params["epochs"], self.params["steps"]
            share = (self._epoch + (batch + 1) / steps) / epochs
            self._lines.listen("training", share, self._first / epochs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Prints the epoch's means."""
        values = "  ".join(f"{name} {float(value):.3f}" for name, value in (logs or {}).items())
        self._console.print(f"epoch {epoch + 1:3d}  {values}", highlight=False, soft_wrap=True)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Removes the bar; call it as well if training ends with an error."""
        if self._task is not None:
            self._task = None
            self._progress.stop()
