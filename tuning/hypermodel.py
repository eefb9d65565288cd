"""The model of a search: built from a point of the space, trained and measured at its rungs."""

import dataclasses
import functools
import logging
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import keras_tuner

from dcgan import data, features, training
from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.model import DCGAN
from tuning import trial_records, trial_training
from tuning.detector_objective import Detection
from tuning.objectives import Goal
from tuning.search_config import Budget, SearchConfig
from tuning.search_directory import SearchDirectory
from tuning.space import Space
from tuning.trial_records import TrialRecord

_FEWEST_REALS = 100


class DCGANHyperModel(keras_tuner.HyperModel):
    """Builds and trains the DCGAN of a point in the search space; any KerasTuner tuner can use it.

    Args:
        config: The search.
        directory: The search's directory, where the trials' records are kept.
        space: What may change. Defaults to `Space()`.
        images: The images to train on. Defaults to those of `config.base`.
        reference: What samples are measured against. Defaults to the test split of `config.base`'s
            data, seen by its extractor.
        origin: When the search began, less the time it did not run, in seconds as `time.time`. Defaults
            to now.
        deadline: When trials are cut short, likewise. Defaults to None: never.

    Attributes:
        objective: What a tuner is to watch, with its direction.

    Raises:
        InputError: If the data cannot be used, or points of the space are no valid models.

    Example:
        >>> config = SearchConfig(base=dcgan.presets.get("mnist"), epochs=3)
        >>> hypermodel = DCGANHyperModel(config, "runs/grid")
        >>> tuner = keras_tuner.GridSearch(
        ...     hypermodel, hypermodel.objective, max_trials=9, directory="runs/grid", project_name="kt"
        ... )
        >>> run(tuner).best.score
        5.1
    """

    def __init__(
        self,
        config: SearchConfig,
        directory: str | os.PathLike[str],
        *,
        space: Space | None = None,
        images: data.ImageSet | None = None,
        reference: features.Reference | None = None,
        origin: float | None = None,
        deadline: float | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.directory = SearchDirectory(directory)
        self.space = space or Space()
        self.space.check(config.base)
        self.images = images or training.load_images(_smallest_batch(config.base))
        _check_batches(self.space, config.base, self.images)
        self._reference = reference
        self.origin = time.time() if origin is None else origin
        self.deadline = deadline
        self.worker = os.environ.get("KERASTUNER_TUNER_ID", "")
        self.objective = keras_tuner.Objective(config.objective, config.direction)
        self._build_seconds = 0.0

    def start(self, origin: float, budget: Budget) -> None:
        """Sets the clock of a search that goes on.

        Args:
            origin: As for the class.
            budget: Tells the deadline.
        """
        self.origin = origin
        self.deadline = None if budget.minutes is None else origin + 60 * budget.minutes

    @functools.cached_property
    def reference(self) -> features.Reference:
        """What samples are measured against; its statistics are kept in the search's directory."""
        return self._reference or load_reference(self.config, self.images, self.directory)

    @functools.cached_property
    def goal(self) -> Goal:
        """What trials are measured by."""
        wanted = self.config.objective == "detector_auroc"
        return Goal(
            self.config,
            self.reference,
            image_shape=self.images.images.shape[1:],
            detection=Detection(self.config.base) if wanted else None,
        )

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declares the space."""
        self.space.declare(hp)

    def build(self, hp: keras_tuner.HyperParameters) -> DCGAN:
        """Builds and compiles the model of a point.

        Args:
            hp: The point.
        """
        start = time.perf_counter()
        config = self.space.to_config(self.config.base, self.space.declare(hp))
        steps = self.config.steps(config.training.batch_size, images=len(self.images.images))
        model = DCGAN.from_preset(config, total_steps=steps * self.config.epochs)
        self._build_seconds = time.perf_counter() - start
        return model

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: DCGAN,
        *args: Any,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        epochs: int | None = None,
        initial_epoch: int = 0,
        trial: str = "",
        parent: str = "",
        saves: bool = False,
        **kwargs: Any,
    ) -> dict[str, float]:
        """Trains a model and measures it at the search's rungs; failures end in a score.

        Args:
            hp: The point.
            model: What `build` made of it.
            *args: Left aside, as the images are the search's.
            callbacks: Called with what was measured in their logs. Defaults to none.
            epochs: Until when to train. Defaults to the search's.
            initial_epoch: How many epochs the model has behind it already. Defaults to 0.
            trial: The trial's number. Defaults to that of KerasTuner's own callback.
            parent: The trial whose training goes on. Defaults to none.
            saves: Whether the model is kept in the search's directory, so that a later trial can go on
                from there. Defaults to False.
            **kwargs: Left aside likewise.

        Returns:
            What was measured last, the objective among it, and `trained_epochs`.
        """
        start = time.perf_counter()
        trial = trial or next((c.trial.trial_id for c in callbacks if hasattr(c, "trial")), "")
        values = self.space.declare(hp)
        known = trial_records.find(self.directory.records, parent) if parent else None
        if known is not None and known.failed:
            return self.fail(trial, values, known.reason, parent=parent)
        try:
            task = self._make_task(
                values,
                callbacks,
                trial=trial,
                parent=parent,
                epochs=epochs,
                initial_epoch=initial_epoch,
                saves=saves,
            )
            record = trial_training.fit(model, task)
        except Exception as error:
            logging.getLogger("dcgan").debug("Trial %s failed", trial, exc_info=True)
            return self.fail(trial, values, first_line(error), parent=parent)
        record = dataclasses.replace(record, trial=trial, values=values, parent=parent)
        return self._keep(record, start=start)

    def fail(
        self, trial: str, values: Mapping[str, Any], reason: str, *, parent: str = ""
    ) -> dict[str, float]:
        """Ends a trial as failed, with a score worse than any that learns, see `Goal.worst`.

        Args:
            trial: The trial's number.
            values: The point.
            reason: What went wrong, one line.
            parent: The trial whose training was to go on. Defaults to none.

        Returns:
            As `fit`.
        """
        worst = self.goal.worst
        record = TrialRecord(
            trial=trial,
            status=trial_records.FAILED,
            score=worst[self.config.objective],
            reason=reason,
            values=values,
            parent=parent,
            metrics=worst,
        )
        return self._keep(record, start=time.perf_counter())

    def _make_task(
        self,
        values: Mapping[str, Any],
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        trial: str,
        parent: str,
        epochs: int | None,
        initial_epoch: int,
        saves: bool,
    ) -> trial_training.Task:
        training_config = self.space.to_config(self.config.base, values).training
        images, batch_size = self.images.images, training_config.batch_size
        return trial_training.Task(
            goal=self.goal,
            batches=trial_training.make_batches(images, batch_size, seed=self.config.base.seed),
            steps=self.config.steps(batch_size, images=len(images)),
            rungs=self.config.rungs,
            epochs=epochs or self.config.epochs,
            finished=lambda: trial_records.read_all(self.directory.records),
            deadline=self.deadline,
            first_epoch=initial_epoch,
            checkpoint=self.directory.checkpoints / trial if saves else None,
            resume=self.directory.checkpoints / parent if parent else None,
            callbacks=callbacks,
        )

    def _keep(self, record: TrialRecord, *, start: float) -> dict[str, float]:
        """Writes a trial's record; returns what KerasTuner is told of it."""
        seconds = {"build": self._build_seconds, **record.seconds}
        seconds["total"] = self._build_seconds + time.perf_counter() - start
        kept = dataclasses.replace(
            record,
            seconds={name: round(value, 3) for name, value in seconds.items()},
            elapsed=round(time.time() - self.origin, 3),
            worker=self.worker,
        )
        if kept.trial:
            kept.save(self.directory.records)
        return to_metrics(kept)


def to_metrics(record: TrialRecord) -> dict[str, float]:
    """Returns what KerasTuner is told of a trial."""
    return {**record.metrics, "trained_epochs": float(record.epochs - record.first_epoch)}


def load_reference(
    config: SearchConfig, images: data.ImageSet, directory: SearchDirectory
) -> features.Reference:
    """Returns what a search's samples are measured against, computed once for all workers.

    Args:
        config: The search.
        images: The images that it trains on, which say how many samples there can be.
        directory: Where the statistics are kept.

    Raises:
        InputError: If there is no extractor, or the test split has fewer than 100 images.
    """
    base = config.base
    extractor = features.for_run(base)
    if extractor is None:
        raise InputError("features none: expected a feature extractor, by which trials are compared")
    reals = data.load_split(base, "test").images
    if len(reals) < _FEWEST_REALS:
        raise InputError(
            f"{base.data}: expected at least {_FEWEST_REALS} images in the test split, by which trials "
            f"are compared, found {len(reals)}"
        )
    return features.Reference.compute(
        reals,
        extractor,
        fake_count=min(config.samples, len(images.images)),
        cache_dir=directory.references,
    )


def first_line(error: Exception) -> str:
    """Returns an error in one line, for a trial's record."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _smallest_batch(base: RunConfig) -> RunConfig:
    return dataclasses.replace(base, training=dataclasses.replace(base.training, batch_size=1))


def _check_batches(space: Space, base: RunConfig, images: data.ImageSet) -> None:
    parameter = space.parameters.get("batch_size")
    largest = max(parameter.ends) if parameter else base.training.batch_size
    if largest > len(images.images):
        raise InputError(
            f"batch_size: expected at most as many as there are images. Received: {largest} with "
            f"{len(images.images)} images; narrow it by --space"
        )
