"""Checkpoints from which a killed training continues exactly."""

import json
import logging
import os
import pathlib
import re
import zipfile
from collections.abc import Sequence
from typing import Any

import keras

from dcgan import files

_NAME = re.compile(r"epoch_(\d+)\.keras")
_WEIGHTS = "model.weights.h5"


class RunCheckpoint(keras.callbacks.Callback):
    """Saves the whole model every few epochs, keeps the newest, and restores it.

    A checkpoint is one `.keras` file with weights, optimizers and, for `dcgan.DCGAN`, the step and
    the random states. It appears whole or not at all, and is checked before it is loaded: a damaged
    newest one falls back to the one before. Put the callback last, so that what others write in the
    same epoch is on the disk before it.

    Under a multi-worker strategy every worker restores, and only the chief is given the callback.

    Args:
        directory: Where the checkpoints are, as `epoch_005.keras`.
        every: Epochs from one checkpoint to the next; the last epoch is saved in any case. Defaults
            to 5.
        keep: How many of the newest are kept, at least 1. Defaults to 2.
        companions: Callbacks with `get_state() -> dict` and `set_state(dict)` (JSON values), whose
            states are saved and restored as well. Once one has a `reason`, as a `TrainingGuard` that
            has stopped a failed training, nothing is saved any more. Defaults to none.

    Raises:
        ValueError: If `every` or `keep` is not above zero.

    Example:
        >>> checkpoint = RunCheckpoint("checkpoints", every=5)
        >>> first_epoch = checkpoint.restore(model)
        >>> model.fit(dataset, initial_epoch=first_epoch, epochs=50, callbacks=[checkpoint])
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
        self._epochs_done = 0

    def restore(self, model: keras.Model) -> int:
        """Loads the newest usable checkpoint into a compiled model of the same shape.

        Args:
            model: The model to continue.

        Returns:
            How many epochs that checkpoint has behind it, for `fit`'s `initial_epoch`; 0 where there is
            none.
        """
        if model.optimizer is not None and not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        for path in reversed(list_checkpoints(self.directory)):
            if (problem := _find_damage(path)) is None:
                model.load_weights(path)
                self._states = json.loads(_state_path(path).read_text(encoding="utf-8"))
                self._epochs_done = epoch_of(path)
                return self._epochs_done
            logging.getLogger("dcgan").warning("%s is damaged (%s), left out.", path, problem)
        return 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Hands the companions their states, after their own `on_train_begin`."""
        for companion, state in zip(self.companions, self._states, strict=False):
            companion.set_state(state)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves, when it is time."""
        self._epochs_done = epoch + 1
        if self._epochs_done % self.every == 0:
            self._save()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Saves the last epoch."""
        if self._epochs_done and self._epochs_done % self.every:
            self._save()

    def _save(self) -> None:
        if any(getattr(companion, "reason", None) for companion in self.companions):
            return
        path = self.directory / f"epoch_{self._epochs_done:03d}.keras"
        states = [companion.get_state() for companion in self.companions]
        files.write_text(_state_path(path), json.dumps(states))
        with files.write_atomically(path) as temporary:
            self.model.save(temporary)
        self._prune()

    def _prune(self) -> None:
        """Removes old checkpoints, and what killed processes left half-written."""
        for path in list_checkpoints(self.directory)[: -self.keep]:
            path.unlink()
        kept = {_state_path(path) for path in list_checkpoints(self.directory)}
        leftovers = {*self.directory.glob("epoch_*.json"), *self.directory.glob(".epoch_*.tmp*")}
        for path in leftovers - kept:
            path.unlink()


def list_checkpoints(directory: str | os.PathLike[str]) -> list[pathlib.Path]:
    """Lists the checkpoints in a directory, oldest epoch first.

    Args:
        directory: Where a `RunCheckpoint` writes; it need not exist.
    """
    found = pathlib.Path(directory).glob("epoch_*.keras")
    return sorted((path for path in found if _NAME.fullmatch(path.name)), key=epoch_of)


def epoch_of(path: pathlib.Path) -> int:
    """Reads from a checkpoint's name how many epochs it has behind it."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"Expected a name such as epoch_005.keras. Received: {path.name}")
    return int(match[1])


def _state_path(path: pathlib.Path) -> pathlib.Path:
    return path.with_suffix(".json")


def _find_damage(path: pathlib.Path) -> str | None:
    """Reads the whole archive against its checksums; returns what is wrong with it."""
    try:
        with zipfile.ZipFile(path) as archive:
            if (member := archive.testzip()) is not None:
                return f"wrong checksum of {member}"
            if _WEIGHTS not in archive.namelist():
                return f"no {_WEIGHTS} in it"
        json.loads(_state_path(path).read_text(encoding="utf-8"))
    except Exception as error:
        # What zipfile raises for damaged headers, EOFError and zlib.error among it, has no base.
        return str(error) or type(error).__name__
    return None
