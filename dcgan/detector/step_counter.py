"""How far a long piece of work has come."""

from collections.abc import Callable
from typing import Any

import keras

Progress = Callable[[str, int, int], None]
"""Called with the name of what is being done, the steps done and the steps in all."""


class StepCounter:
    """Counts the steps of one stage after the other.

    Args:
        progress: Called after each step. None for nobody.
    """

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._stage = ""
        self._done = 0
        self._total = 0

    def begin(self, stage: str, total: int) -> None:
        """Starts a stage of so many steps."""
        self._stage, self._done, self._total = stage, 0, total
        self._report()

    def step(self) -> None:
        """Counts one step."""
        self._done += 1
        self._report()

    def callback(self) -> keras.callbacks.Callback:
        """Returns a callback that counts training steps."""

        def count(batch: int, logs: dict[str, Any] | None = None) -> None:
            self.step()

        return keras.callbacks.LambdaCallback(on_train_batch_end=count)

    def _report(self) -> None:
        if self._progress:
            self._progress(self._stage, self._done, self._total)
