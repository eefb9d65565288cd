"""How far a long fit has come."""

from collections.abc import Callable
from typing import Any

import keras

Progress = Callable[[str, float], None]
"""Called with the name of a stage and the share of it that is done, 0 to 1."""


def ignore(stage: str, share: float) -> None:
    """The progress that nobody watches."""


class FitProgress(keras.callbacks.Callback):
    """Reports one call of `fit` as a part of a stage.

    Args:
        progress: Called after each training step.
        stage: The stage's name.
        part: Which of the stage's parts this fit is, from 0. Defaults to 0.
        parts: How many parts the stage has; they count as equally long. Defaults to 1.
    """

    def __init__(self, progress: Progress, stage: str, *, part: int = 0, parts: int = 1) -> None:
        super().__init__()
        self._progress, self._stage = progress, stage
        self._part, self._parts = part, parts
        self._steps = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Reports the step."""
        self._steps += 1
        share = self._steps / (self.params["epochs"] * self.params["steps"])
        self._progress(self._stage, (self._part + share) / self._parts)
