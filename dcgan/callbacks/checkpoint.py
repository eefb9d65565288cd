"""Checkpoints from which a killed training continues exactly."""

import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import keras

from dcgan.callbacks import _steps
from dcgan.errors import InputError
from dcgan.runs import checkpoint_files
from dcgan.system import files


class RunCheckpoint(keras.callbacks.Callback):
    """Saves the whole model every few epochs, keeps the newest, and restores it.

    A checkpoint is one `.keras` file with weights, optimizers and random states. It appears whole or not
    at all, and is checked before it is loaded: if the newest is damaged, the one before is restored. Put
    the callback last, so that what others write in the same epoch is on the disk before it. Under a
    multi-worker strategy every worker restores, and only the chief is given the callback.

    Args:
        directory: Directory of the checkpoints, `epoch_005.keras` and so on.
        every: Epochs from one checkpoint to the next; the last epoch is saved in any case. Defaults
            to 5.
        keep: Number of checkpoints to keep, at least 1. Defaults to 2.
        companions: Callbacks with `get_state() -> dict` and `set_state(dict)` (JSON values), whose
            states are saved and restored as well. Once one has a `reason`, as a `TrainingGuard` that
            has stopped a failed training, nothing more is saved. Defaults to none.

    Attributes:
        broken_off: Whether training stopped before an epoch's last step. That epoch is not saved, and a
            resumed training repeats it.

    Raises:
        ValueError: If `every` or `keep` is not above zero.

    Example:
        >>> checkpoint = RunCheckpoint("checkpoints", every=5)
        >>> first_epoch = checkpoint.restore(model)
        >>> first_epoch
        0
        >>> history = model.fit(dataset, initial_epoch=first_epoch, epochs=50, callbacks=[checkpoint])
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        every: int = 5,
        keep: int = 2,
        companions: Sequence[Any] = (),
    ) -> None:
        super().__init__()
        if every < 1 or keep < 1:
            raise ValueError(
                f"Expected every and keep of at least 1. Received: every={every}, keep={keep}"
            )
        self.directory = pathlib.Path(directory)
        self.every = every
        self.keep = keep
        self.companions = list(companions)
        self._states: list[dict[str, Any]] = []
        self.broken_off = False
        self._steps = 0
        self._stopping = False
        self._unsaved: int | None = None

    def restore(self, model: keras.Model) -> int:
        """Loads the newest usable checkpoint into a compiled model of the same shape.

        Args:
            model: The model to continue.

        Returns:
            The number of epochs done, for `fit`'s `initial_epoch`; 0 if there is no checkpoint.

        Raises:
            InputError: If the model is not compiled.
        """
        if not model.compiled:
            raise InputError(
                "RunCheckpoint.restore: expected a compiled model, since optimizers are restored too. "
                f"Received: {model.name}, not compiled"
            )
        if model.optimizer is not None and not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        for path in checkpoint_files.iterate_usable(self.directory):
            model.load_weights(path)
            state = checkpoint_files.state_path(path).read_text(encoding="utf-8")
            self._states = json.loads(state)
            return checkpoint_files.epoch_of(path)
        return 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Hands the companions their states, after their own `on_train_begin`."""
        self.broken_off = False
        self._unsaved = None
        for companion, state in zip(self.companions, self._states, strict=False):
            companion.set_state(state)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts steps, and looks whether this is to be the last."""
        self._steps = _steps.done(self, batch)
        self._stopping = self.model.stop_training

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves, when it is time and the epoch was not broken off."""
        steps = self.params.get("steps")
        # In a data set of unknown length any stop between batches counts as one within the epoch.
        self.broken_off = self._steps < steps if steps else self._stopping
        self._unsaved = None if self.broken_off else epoch + 1
        if self._unsaved and self._unsaved % self.every == 0:
            self._save(self._unsaved)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Saves the last epoch."""
        if self._unsaved:
            self._save(self._unsaved)

    def _save(self, epochs_done: int) -> None:
        self._unsaved = None
        if any(getattr(companion, "reason", None) for companion in self.companions):
            return
        path = self.directory / f"epoch_{epochs_done:03d}.keras"
        states = [companion.get_state() for companion in self.companions]
        files.write_text(checkpoint_files.state_path(path), json.dumps(states))
        with files.write_atomically(path) as temporary:
            self.model.save(temporary)
        self._prune()

    def _prune(self) -> None:
        """Removes old checkpoints, and what killed processes left half-written."""
        for path in checkpoint_files.list_all(self.directory)[: -self.keep]:
            path.unlink()
        kept = {checkpoint_files.state_path(path) for path in checkpoint_files.list_all(self.directory)}
        leftovers = {*self.directory.glob("epoch_*.json"), *self.directory.glob(".epoch_*.tmp*")}
        for path in leftovers - kept:
            path.unlink()
