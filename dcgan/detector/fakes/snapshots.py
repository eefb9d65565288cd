"""Draws from a generator while it learns."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from dcgan import images


class Snapshots(keras.callbacks.Callback):
    """Draws an equal share of fakes at the end of each epoch from a first one on.

    Args:
        count: How many in all.
        first: The first epoch, from 0.
        epochs: How many epochs there are.
        on_step: Called after each training step.
        seed: Of the latents.
    """

    def __init__(
        self, count: int, *, first: int, epochs: int, on_step: Callable[[], None], seed: int
    ) -> None:
        super().__init__()
        self.drawn: list[np.ndarray] = []
        self._shares = np.diff(np.linspace(0, count, epochs - first + 1).astype(int))
        self._first = first
        self._on_step = on_step
        self._seed = seed

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Reports the step."""
        self._on_step()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Draws."""
        if epoch >= self._first:
            share = int(self._shares[epoch - self._first])
            drawn = self.model.generate(share, seed=self._seed + epoch)
            self.drawn.append(images.to_uint8(drawn))
