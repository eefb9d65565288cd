"""The model of a search: built from a point of the space, trained and measured at its rungs."""

import dataclasses
import functools
import logging
import os
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

import keras
import keras_tuner
import numpy as np

from dcgan import data, features, presets, training
from dcgan.config import RunConfig
from dcgan.data import class_labels, load
from dcgan.errors import InputError
from dcgan.model import DCGAN
from dcgan.system import keras_limits
from tuning import objectives, trial_records, trial_training
from tuning.search_config import SearchConfig
from tuning.search_directory import SearchDirectory
from tuning.space import Space
from tuning.trial_records import TrialError, TrialRecord


class DCGANHyperModel(keras_tuner.HyperModel):
    """Builds and trains the DCGAN of a point in the search space; works with any KerasTuner tuner.

    Args:
        config: The search.
        directory: The search's directory, where the trials' records are kept.
        space: What may change. Defaults to `Space()`.
        images: The images, of which a fifth is held out. Defaults to those of `config.base`.
        reference: What samples are measured against. Defaults to the images that are held out, seen by
            the feature extractor of `config.base`.
        minutes: The search's time, sessions before this one included, after which trials are cut short.
            Defaults to None: no limit.

    Attributes:
        objective: What a tuner should watch, with its direction.
        origin: When the search began, less the time it did not run, as `time.time`.
        deadline: When trials are cut short, as `time.time`; None for never.

    Raises:
        InputError: If the data cannot be used, points of the space are no valid models, or
            `KERAS_MAX_EPOCHS` or `KERAS_MAX_STEPS_PER_EPOCH` would cut trials short.

    Example:
        >>> config = tuning.SearchConfig(base=dcgan.presets.get("mnist"), epochs=1)
        >>> hypermodel = tuning.DCGANHyperModel(config, "runs/random")
        >>> tuner = keras_tuner.RandomSearch(
        ...     hypermodel, hypermodel.objective, max_trials=2, directory="runs/random"
        ... )
        >>> best = tuning.run(tuner, verbose=0).best
    """

    def __init__(
        self,
        config: SearchConfig,
        directory: str | os.PathLike[str],
        *,
        space: Space | None = None,
        images: data.ImageSet | np.ndarray | None = None,
        reference: features.Reference | None = None,
        minutes: float | None = None,
    ) -> None:
        super().__init__()
        keras_limits.refuse("the trials")
        given = training.as_image_set(images, config.base)
        self.config = config = config if given is None else _of(config, given)
        self.directory = SearchDirectory(directory)
        self.space = space or Space()
        self.space.check(config.base)
        self.partition = data.Partition.load(config.base, given)
        self.images = self.partition.rest
        _check_images(self.space, config.base, self.images)
        self._reference = reference
        self.objective = keras_tuner.Objective(config.objective, config.direction)
        self.origin = self._find_origin()
        self.deadline = None if minutes is None else self.origin + 60 * minutes
        self._build_seconds = 0.0

    @functools.cached_property
    def goal(self) -> objectives.Goal:
        """What trials are measured by."""
        images, cache = self.images.images, self.directory.references
        count = min(self.config.samples, len(images))
        reference = self._reference or objectives.make_reference(
            self.config.base, self.partition, count=count, cache=cache
        )
        return objectives.Goal(self.config, reference, self.partition)

    def claim(self) -> None:
        """Starts the search in its directory, or checks that it can continue.

        Raises:
            InputError: If the directory holds another search, or its images have changed.
        """
        digests = (self.partition.rest.digest, self.partition.held_out.digest)
        self.directory.claim(self.config, self.space, images=" ".join(digests))

    def keep_only(self, trials: Collection[str]) -> None:
        """Removes the records of trials that a tuner has overwritten.

        Args:
            trials: The numbers of the trials that it knows.
        """
        for record in trial_records.read_all(self.directory.records):
            if record.trial not in trials:
                record.delete(self.directory.records)
        self.origin = self._find_origin()

    def build(self, hp: keras_tuner.HyperParameters) -> DCGAN:
        """Builds and compiles the model of a point."""
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
        **kwargs: Any,
    ) -> dict[str, float]:
        """Trains and measures a model for one of KerasTuner's own tuners.

        Args:
            hp: The point.
            model: The model that `build` returned for it.
            *args: Ignored, since the search has its own images.
            callbacks: Their logs contain the metrics. Defaults to none.
            epochs: The last epoch. Defaults to the search's.
            initial_epoch: How many epochs the model is already trained for. Defaults to 0.
            **kwargs: Ignored.

        Returns:
            The last metrics, the objective among them, and `trained_epochs`.

        Raises:
            keras_tuner.errors.FailedTrialError: If training diverges, collapses or raises an error, so
                that the tuner does not take a penalty for a score.
        """
        trial = next((c.trial.trial_id for c in callbacks if hasattr(c, "trial")), "")
        record = self.run(
            trial, hp, lambda: model, epochs=epochs, first_epoch=initial_epoch, callbacks=callbacks
        )
        if record.failed:
            raise keras_tuner.errors.FailedTrialError(record.reason)
        return record.to_metrics()

    def run(
        self,
        trial: str,
        hp: keras_tuner.HyperParameters,
        prepare: Callable[[], DCGAN],
        *,
        parent: str = "",
        epochs: int | None = None,
        **task: Any,
    ) -> TrialRecord:
        """Trains and measures a trial and writes its record; a failed one has the worst score.

        Args:
            trial: The trial's number; "" writes no record.
            hp: The point.
            prepare: Returns the compiled model.
            parent: The trial that this one continues. Defaults to none.
            epochs: The last epoch. Defaults to the search's.
            **task: Further arguments of `tuning.trial_training.Task`.
        """
        start = time.perf_counter()
        values = self.space.declare(hp)
        try:
            model = prepare()
            config = self.space.to_config(self.config.base, values)
            record = trial_training.fit(model, self._make_task(config, epochs, **task))
        except TrialError as error:
            record = self.goal.failure(str(error))
        except Exception as error:
            logging.getLogger("dcgan").debug("Trial %s raised an error", trial, exc_info=True)
            record = self.goal.failure(_first_line(error))
            record = dataclasses.replace(record, status=trial_records.ERROR)
        seconds = {"build": self._build_seconds, **record.seconds, "total": time.perf_counter() - start}
        self._build_seconds = 0.0
        seconds = {name: round(value, 3) for name, value in seconds.items()}
        return self._save(
            dataclasses.replace(record, trial=trial, parent=parent, seconds=seconds), values
        )

    def record_error(self, trial: str, hp: keras_tuner.HyperParameters, reason: str) -> None:
        """Writes the record of a trial that never came to `fit`.

        Args:
            trial: The trial's number.
            hp: The point.
            reason: The error, in one line.
        """
        record = dataclasses.replace(self.goal.failure(reason), status=trial_records.ERROR, trial=trial)
        self._save(record, self.space.declare(hp))

    def _save(self, record: TrialRecord, values: dict[str, Any]) -> TrialRecord:
        record = dataclasses.replace(
            record,
            values=values,
            elapsed=round(time.time() - self.origin, 3),
            ended=round(time.time(), 3),
            worker=os.environ.get("KERASTUNER_TUNER_ID", ""),
        )
        if record.trial:
            record.save(self.directory.records)
        return record

    def _find_origin(self) -> float:
        ended = trial_records.read_all(self.directory.records)
        return time.time() - max((record.elapsed for record in ended), default=0.0)

    def _make_task(self, config: RunConfig, epochs: int | None, **task: Any) -> trial_training.Task:
        images, batch_size = self.images.images, config.training.batch_size
        labels = class_labels.training_labels(self.images, config.network.classes)
        return trial_training.Task(
            goal=self.goal,
            batches=lambda first: data.batches(
                images,
                batch_size,
                labels=labels,
                seed=config.seed,
                repeat=True,
                first_epoch=first,
            ),
            steps=self.config.steps(batch_size, images=len(images)),
            rungs=self.config.rungs,
            epochs=epochs or self.config.epochs,
            finished=lambda: trial_records.read_all(self.directory.records),
            deadline=self.deadline,
            **task,
        )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _of(config: SearchConfig, given: data.ImageSet) -> SearchConfig:
    """Returns the config of a search that was given its images, as `dcgan.train` names them."""
    base = presets.override(config.base, data=f"{load.GIVEN}{given.name}", split=given.split)
    return dataclasses.replace(config, base=base)


def _check_images(space: Space, base: RunConfig, images: data.ImageSet) -> None:
    side = base.network.image_size
    expected = (side, side, base.network.channels)
    if images.images.shape[1:] != expected:
        raise InputError(
            f"{base.data}: expected images of shape {expected}, as the networks take. "
            f"Received: {images.images.shape[1:]}"
        )
    class_labels.training_labels(images, base.network.classes)
    parameter = space.parameters.get("batch_size")
    largest = max(parameter.ends) if parameter else base.training.batch_size
    if largest > len(images.images):
        raise InputError(
            f"batch_size: expected at most the number of images. Received: {largest} with "
            f"{len(images.images)} images; narrow it by --space"
        )
