"""One trial: trained from rung to rung, measured there, ended early where it is not worth its time."""

import dataclasses
import math
import pathlib
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras

from dcgan import callbacks as dcgan_callbacks
from dcgan import data
from dcgan.model import DCGAN
from tuning import trial_records
from tuning.objectives import Goal
from tuning.trial_records import TrialRecord

# The median of fewer trials says little.
_FEWEST_FINISHED = 5
# Epochs of a trial are short: one more is enough to tell a failure from chance.
_PATIENCE = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """What a trial is to do.

    Args:
        goal: What it is measured by.
        batches: Makes the data from the number of the first epoch on.
        steps: Of an epoch.
        rungs: Epochs after which it is measured.
        epochs: Until when it is trained.
        finished: Returns the records of the trials that have ended.
        deadline: When it is cut short, as `time.time`; None for never.
        first_epoch: How many epochs a model has behind it that somebody else has restored. Defaults
            to 0.
        checkpoint: Where it is saved when it ends. Defaults to None: nowhere.
        resume: Where the trial was saved whose training goes on. Defaults to None: it starts anew.
        callbacks: Further ones, called with what was measured in their logs.
    """

    goal: Goal
    batches: Callable[[int], Any]
    steps: int
    rungs: Sequence[int]
    epochs: int
    finished: Callable[[], Sequence[TrialRecord]]
    deadline: float | None
    first_epoch: int = 0
    checkpoint: pathlib.Path | None = None
    resume: pathlib.Path | None = None
    callbacks: Sequence[keras.callbacks.Callback] = ()


def make_batches(images: Any, batch_size: int, *, seed: int) -> Callable[[int], Any]:
    """Returns what makes a trial's data: another order for each rung it starts from.

    Args:
        images: Shape (count, height, width, channels), uint8.
        batch_size: Images a step.
        seed: Of the order.
    """
    return lambda first: data.batches(images, batch_size, seed=seed, repeat=True, first_epoch=first)


def fit(model: DCGAN, task: Task) -> TrialRecord:
    """Trains a model as far as it is worth it.

    Args:
        model: Compiled.
        task: What to do.

    Returns:
        How it ended; who ran it, and of which point, is left open.
    """
    start = time.perf_counter()
    guard = dcgan_callbacks.TrainingGuard(patience=_PATIENCE)
    savers, first = _restore(model, task, guard)
    rungs = _Rungs(task, guard)
    model.fit(
        task.batches(first),
        steps_per_epoch=task.steps,
        initial_epoch=first,
        epochs=task.epochs,
        callbacks=[guard, rungs, *task.callbacks, rungs.clock, *savers],
        verbose=0,
        shuffle=False,
    )
    spent = rungs.clock.read(start) | {"measure": rungs.seconds}
    spent["train"] -= rungs.seconds
    return rungs.to_record(first, spent)


def _restore(
    model: DCGAN, task: Task, guard: dcgan_callbacks.TrainingGuard
) -> tuple[list[keras.callbacks.Callback], int]:
    """Returns what saves the trial, and how many epochs the model has behind it."""
    if task.checkpoint is None:
        return [], task.first_epoch
    # Saves at the end only.
    saver = dcgan_callbacks.RunCheckpoint(
        task.resume or task.checkpoint, every=task.epochs + 1, keep=1, companions=[guard]
    )
    first = saver.restore(model) if task.resume else 0
    saver.directory = task.checkpoint
    return [saver], first


class _Clock(keras.callbacks.Callback):
    """Tells building the graph, training and saving apart; stands right before what saves."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._first: float | None = None
        self._trained = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._first is None:
            self._first = time.perf_counter()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._trained = time.perf_counter()

    def read(self, start: float) -> dict[str, float]:
        """Seconds until the first step was done, from there to the last, and saving."""
        first = self._first or self._trained
        return {
            "first_step": first - start,
            "train": self._trained - first,
            "save": time.perf_counter() - self._trained,
        }


class _Rungs(keras.callbacks.Callback):
    """Measures at the rungs; stops a trial behind the median of the others, or out of time."""

    def __init__(self, task: Task, guard: dcgan_callbacks.TrainingGuard) -> None:
        super().__init__()
        self.clock = _Clock()
        self.seconds = 0.0
        self._task = task
        self._guard = guard
        self._curve: list[tuple[float, float]] = []
        self._measured: dict[str, float] = {}
        self._status = trial_records.DONE
        self._reason = ""
        self._steps = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks at the time."""
        self._steps = batch + 1
        if self._task.deadline is not None and time.time() > self._task.deadline:
            self._stop(trial_records.CUT, "The search's time was over.")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures, when it is time."""
        last = epoch + 1 == self._task.epochs or self.model.stop_training
        if self._guard.reason or not (last or epoch + 1 in self._task.rungs):
            return
        start = time.perf_counter()
        self._measured = self._task.goal.measure(self.model)
        score = self._measured[self._task.goal.name]
        self._curve.append((round(epoch + self._steps / self._task.steps, 3), score))
        if logs is not None:
            logs |= self._measured
        if not last:
            self._compare(epoch + 1, score)
        self.seconds += time.perf_counter() - start

    def to_record(self, first: int, seconds: dict[str, float]) -> TrialRecord:
        """Sums up."""
        goal, guard = self._task.goal, self._guard
        epochs, score = self._curve[-1] if self._curve else (float(first), math.nan)
        failure = guard.message or ("" if math.isfinite(score) else f"{goal.name} is {score}.")
        if failure:
            self._status, self._reason = trial_records.FAILED, failure
            self._measured, score = goal.worst, goal.worst[goal.name]
        return TrialRecord(
            trial="",
            status=self._status,
            score=score,
            reason=self._reason,
            first_epoch=first,
            epochs=epochs,
            metrics=self._measured,
            curve=self._curve,
            seconds=seconds,
        )

    def _compare(self, epochs: int, score: float) -> None:
        others = [
            value
            for record in self._task.finished()
            if not record.failed
            for at, value in record.curve
            if at == epochs
        ]
        if len(others) < _FEWEST_FINISHED:
            return
        median = statistics.median(others)
        if self._task.goal.better(median, score):
            self._stop(
                trial_records.STOPPED,
                f"Behind the median of {len(others)} trials after epoch {epochs}, {median:.4g}.",
            )

    def _stop(self, status: str, reason: str) -> None:
        self._status, self._reason = status, reason
        self.model.stop_training = True
