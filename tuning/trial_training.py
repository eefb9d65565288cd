"""One trial: trained from rung to rung, measured there, and ended early if it is not worth its time."""

import dataclasses
import math
import pathlib
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras

from dcgan import callbacks as dcgan_callbacks
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
    """What a trial has to do.

    Args:
        goal: What it is measured by.
        batches: Makes the data, given the number of the first epoch.
        steps: Steps of an epoch.
        rungs: The epochs after which it is measured.
        epochs: The last epoch.
        finished: Returns the records of the trials that have ended.
        deadline: When it is cut short, as `time.time`; None for never.
        first_epoch: How many epochs the model is already trained for. Defaults to 0.
        checkpoint: Where to save it when it ends. Defaults to None: nowhere.
        resume: The checkpoint of the trial to continue. Defaults to None: a new one.
        callbacks: Further callbacks; their logs contain the metrics. Defaults to none.
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


def fit(model: DCGAN, task: Task) -> TrialRecord:
    """Trains a compiled model as far as it is worth it; leaves the record's number and values open."""
    guard = dcgan_callbacks.TrainingGuard(patience=_PATIENCE)
    rungs = _Rungs(task, guard)
    savers, first = _restore(model, task, guard)
    model.fit(
        task.batches(first),
        steps_per_epoch=task.steps,
        initial_epoch=first,
        epochs=task.epochs,
        callbacks=[guard, rungs, *task.callbacks, *savers],
        verbose=0,
        shuffle=False,
    )
    return rungs.to_record(first)


def _restore(
    model: DCGAN, task: Task, guard: dcgan_callbacks.TrainingGuard
) -> tuple[list[keras.callbacks.Callback], int]:
    """Returns what saves the trial, and how many epochs the model is trained for."""
    if task.checkpoint is None:
        return [], task.first_epoch
    # Saves at the end only.
    saver = dcgan_callbacks.RunCheckpoint(
        task.resume or task.checkpoint, every=task.epochs + 1, keep=1, companions=[guard]
    )
    first = saver.restore(model) if task.resume else 0
    saver.directory = task.checkpoint
    return [saver], first


class _Rungs(keras.callbacks.Callback):
    """Measures at the rungs; stops a trial that is behind the median of the others, or out of time."""

    def __init__(self, task: Task, guard: dcgan_callbacks.TrainingGuard) -> None:
        super().__init__()
        self._task = task
        self._guard = guard
        self._curve: list[tuple[float, float]] = []
        self._measured: dict[str, float] = {}
        self._status = trial_records.DONE
        self._reason = ""
        self._steps = 0
        self._measuring = 0.0
        self._times = {"start": time.perf_counter()}

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Checks the time."""
        self._times.setdefault("first_step", time.perf_counter())
        self._steps = batch + 1
        if self._task.deadline is not None and time.time() > self._task.deadline:
            self._stop(trial_records.CUT, "The search's time was over.")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures at a rung and at the end."""
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
        self._measuring += time.perf_counter() - start

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Notes the time before the model is saved."""
        self._times["trained"] = time.perf_counter()

    def to_record(self, first: int) -> TrialRecord:
        """Returns how the trial ended, given its first epoch."""
        goal, trained = self._task.goal, self._times["trained"]
        begun = self._times.get("first_step", trained)
        epochs, score = self._curve[-1] if self._curve else (float(first), math.nan)
        record = TrialRecord(
            trial="", status=self._status, score=score, reason=self._reason, metrics=self._measured
        )
        failure = self._guard.message or ("" if math.isfinite(score) else f"{goal.name} is {score}.")
        return dataclasses.replace(
            goal.failure(failure) if failure else record,
            first_epoch=first,
            epochs=epochs,
            curve=self._curve,
            seconds={
                "first_step": begun - self._times["start"],
                "train": trained - begun - self._measuring,
                "measure": self._measuring,
                "save": time.perf_counter() - trained,
            },
        )

    def _compare(self, epochs: int, score: float) -> None:
        ended = [record for record in self._task.finished() if not record.failed]
        others = [value for record in ended for at, value in record.curve if at == epochs]
        if len(others) < _FEWEST_FINISHED:
            return
        median = statistics.median(others)
        if self._task.goal.better(median, score):
            reason = f"Behind the median of {len(others)} trials after epoch {epochs}, {median:.4g}."
            self._stop(trial_records.STOPPED, reason)

    def _stop(self, status: str, reason: str) -> None:
        self._status, self._reason = status, reason
        self.model.stop_training = True
