"""A run from its configuration: assembled, fitted, and continued where it was interrupted."""

import dataclasses
import logging
import os
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from dcgan import callbacks as dcgan_callbacks
from dcgan import data, distribution, features, presets
from dcgan.config import RunConfig
from dcgan.data import class_labels, load, provenance
from dcgan.data.batching import user_datasets
from dcgan.data.batching.feed import Feed
from dcgan.errors import InputError
from dcgan.model import DCGAN
from dcgan.runs import training_record
from dcgan.runs.run_directory import RunDirectory
from dcgan.runs.training_record import TrainingRecord
from dcgan.system import files, keras_limits

_FEWEST_REALS = 100
_MOST_SAMPLES = 10_000
# Samples of an epoch that a run keeps for its detector.
_REPLAYED_BYTES = 4 * 2**20

_BROKEN_OFF = "Training was stopped within an epoch, which a resumed training repeats."


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What `train` returns.

    Attributes:
        model: The trained model.
        run: The run's directory.
        first_epoch: Number of epochs done before this training.
        stopped: Why training ended before its last epoch; None if it did not.
    """

    model: DCGAN
    run: RunDirectory
    first_epoch: int
    stopped: str | None


def train(
    config: RunConfig,
    out: str | os.PathLike[str],
    *,
    conditional: bool = False,
    images: data.ImageSet | np.ndarray | None = None,
    dataset: tf.data.Dataset | None = None,
    steps_per_epoch: int | None = None,
    storage: data.Storage | None = None,
    reference: features.Reference | None = None,
    strategy: tf.distribute.Strategy | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 0,
) -> TrainingResult:
    """Trains a run, or continues one that was interrupted.

    A run that was killed at any moment and continued ends with the same weights, metrics and samples as
    one that was not; to the bit with `tf.config.experimental.enable_op_determinism()`.

    Args:
        config: What to train.
        out: The run's directory; made if needed.
        conditional: Train a class-conditional GAN, whose classes are those of the images' labels; the
            run's config then says how many. Defaults to False: as `config.network.classes` says.
        images: The images to train on, as an array whatever `load_images` takes. The run records that it
            was given them and their digest, but does not keep them: later commands that need them want
            them again. Defaults to loading `config.data`.
        dataset: A dataset to train on instead: images, float from -1 to 1 or uint8, single or in batches
            of any size, alone or in pairs with labels. It has no held-out part, and the run keeps no
            record of it.
        steps_per_epoch: Batches of an epoch, with a dataset that has no end or whose length is unknown.
            Defaults to a pass.
        storage: How much memory the images may take, and where a cache of more is kept; the run
            remembers it. Defaults to what it remembers, else to `Storage()`.
        reference: What samples are compared with during training. Defaults to `load_reference` for
            images from `config.data`, and to none for other images.
        strategy: Defaults to the one that `config.strategy` names.
        callbacks: Callbacks that run before those that write the run's files. The state of those that
            have `get_state() -> dict` and `set_state(dict)` (JSON values) is saved with each checkpoint
            and restored from it.
        verbose: Keras's progress bar: 0 or 1. Defaults to 0.

    Returns:
        The model and how it went.

    Raises:
        InputError: If the data, the directory or the config cannot be used, or the images are not those
            that the run was started with.
        WorkerLostError: If another worker of a distributed training is gone.

    Example:
        >>> result = dcgan.train(dcgan.presets.get("mnist"), "runs/mnist")
        >>> result.model.generate(16).shape
        (16, 28, 28, 1)
    """
    run = RunDirectory(out)
    strategy = strategy or distribution.make_strategy(config.strategy)
    _check_replicas(config, strategy)
    if dataset is not None:
        _check_dataset(config, images, conditional=conditional)
        config = presets.override(config, data=f"{load.GIVEN}dataset")
        shared = user_datasets.share_among_workers(dataset, strategy)
        feed = Feed.of_dataset(shared, config, steps_per_epoch=steps_per_epoch)
        return _train_on_dataset(config, run, feed, reference, strategy, callbacks, verbose=verbose)
    if steps_per_epoch is not None:
        raise InputError("steps_per_epoch: expected a dataset with it")
    given = as_image_set(images, config)
    config, partition = _load_images(config, run, given, conditional=conditional, storage=storage)
    feed = Feed.of_images(partition.trained_on, config)
    if not distribution.is_chief(strategy):
        return _fit(config, run, feed, strategy, callbacks, verbose=verbose, writes=False)
    is_measured = given is None and reference is None
    if is_measured:
        # Learning is left for later: nothing is written before all of the config has proved usable.
        features.for_run(config, None)
    with run.lock():
        if is_measured:
            for note in partition.notes() if config.features != "none" else ():
                logging.getLogger("dcgan").warning("%s", note)
            reference = load_reference(config, partition, cache_dir=run.references)
        provenance.record(run, config, partition)
        run.claim(config)
        if storage is not None:
            storage.save(run.storage)
        del partition  # Held-out images need no memory while the model trains.
        callbacks = [*_measuring(reference, config), *callbacks, *_writers(run, config)]
        return _fit(config, run, feed, strategy, callbacks, verbose=verbose, writes=True)


def _load_images(
    config: RunConfig,
    run: RunDirectory,
    given: data.ImageSet | None,
    *,
    conditional: bool,
    storage: data.Storage | None,
) -> tuple[RunConfig, data.Partition]:
    """Returns a run's images, and its config completed by what they are."""
    if given is None:
        config = presets.override(config, data=files.absolute(config.data))
    else:
        config = presets.override(config, data=f"{load.GIVEN}{given.name}", split=given.split)
    # How many classes there are follows from the images.
    run.check(config, besides=("network.classes",) if conditional else ())
    partition = provenance.load(run, config, given, storage=storage)
    images = partition.trained_on
    if conditional:
        config = presets.override(config, network={"classes": class_labels.count_classes(images)})
        run.check(config)
    _check_images(config, images)
    return config, partition


def _train_on_dataset(
    config: RunConfig,
    run: RunDirectory,
    feed: Feed,
    reference: features.Reference | None,
    strategy: tf.distribute.Strategy,
    callbacks: Sequence[keras.callbacks.Callback],
    *,
    verbose: int,
) -> TrainingResult:
    """Trains on a user's dataset, of which nothing is held out or recorded."""
    run.check(config)
    keras_limits.check_steps(feed.steps)
    if not distribution.is_chief(strategy):
        return _fit(config, run, feed, strategy, callbacks, verbose=verbose, writes=False)
    with run.lock():
        run.claim(config)
        callbacks = [*_measuring(reference, config), *callbacks, *_writers(run, config)]
        return _fit(config, run, feed, strategy, callbacks, verbose=verbose, writes=True)


def _check_dataset(config: RunConfig, images: object, *, conditional: bool) -> None:
    if images is not None:
        raise InputError("images, dataset: expected one of them, not both")
    if conditional and not config.network.classes:
        raise InputError(
            "conditional: expected network.classes in the config with a dataset, whose classes are not "
            "known beforehand"
        )


def _measuring(
    reference: features.Reference | None, config: RunConfig
) -> list[keras.callbacks.Callback]:
    """Returns what comes before all other callbacks, so that those find the distances in the logs."""
    if reference is None:
        return []
    return [dcgan_callbacks.SampleDistance(reference, every=config.training.evaluate_every)]


def _fit(
    config: RunConfig,
    run: RunDirectory,
    feed: Feed,
    strategy: tf.distribute.Strategy,
    callbacks: Sequence[keras.callbacks.Callback],
    *,
    verbose: int,
    writes: bool,
) -> TrainingResult:
    training, steps = config.training, feed.steps
    with strategy.scope():
        model = DCGAN.from_preset(config, total_steps=steps * training.epochs)
    guard = dcgan_callbacks.TrainingGuard()
    companions = [callback for callback in (guard, *callbacks) if hasattr(callback, "get_state")]
    checkpoint = dcgan_callbacks.RunCheckpoint(
        run.checkpoints, every=training.checkpoint_every, companions=companions
    )
    first_epoch = checkpoint.restore(model)
    with distribution.naming_lost_workers(strategy):
        history = model.fit(
            feed.batches(first_epoch),
            steps_per_epoch=steps,
            initial_epoch=first_epoch,
            epochs=training.epochs,
            callbacks=[guard, *callbacks, *([checkpoint] if writes else [])],
            verbose=verbose,
            shuffle=False,
        )
    epochs = history.epoch[-1] + (not checkpoint.broken_off) if history.epoch else first_epoch
    ended = _describe_end(guard, checkpoint, epochs=epochs, planned=training.epochs)
    if writes:
        _save(run, model, ended)
    stopped = None if ended.reason == training_record.FINISHED else ended.message
    return TrainingResult(model, run, first_epoch, stopped)


def _describe_end(
    guard: dcgan_callbacks.TrainingGuard,
    checkpoint: dcgan_callbacks.RunCheckpoint,
    *,
    epochs: int,
    planned: int,
) -> TrainingRecord:
    """Says why training ended; whether there is a saved model is left open."""
    limit = keras.config.max_epochs()
    after = f"after {epochs} of {planned} epochs"
    if guard.reason and guard.message:
        reason, message = guard.reason, guard.message
    elif checkpoint.broken_off:
        reason, message = training_record.BROKEN_OFF, _BROKEN_OFF
    elif epochs >= planned:
        reason, message = training_record.FINISHED, f"Training finished {after}."
    elif limit and limit <= epochs:
        reason = training_record.LIMITED
        message = f"Training ended {after}, by {keras_limits.EPOCHS}={limit}."
    else:
        reason, message = training_record.STOPPED, f"Training was stopped {after}, by a callback."
    return TrainingRecord(
        epochs=epochs, planned=planned, reason=reason, message=message, model_epochs=None
    )


def _save(run: RunDirectory, model: DCGAN, ended: TrainingRecord) -> None:
    """Saves the model, unless training failed or was broken off, and how training ended."""
    before = TrainingRecord.load(run.training)
    epochs = before.model_epochs if before and run.model.is_file() else None
    if not (training_record.failed(ended.reason) or ended.reason == training_record.BROKEN_OFF):
        epochs = ended.epochs
        with files.write_atomically(run.model) as temporary:
            model.save(temporary)
    dataclasses.replace(ended, model_epochs=epochs).save(run.training)


def load_images(config: RunConfig) -> data.ImageSet:
    """Loads a run's images in its networks' shape.

    Raises:
        InputError: If the images cannot be used, or are fewer than a batch.
    """
    images = data.load_split(config, config.split)
    _check_images(config, images)
    return images


def as_image_set(images: data.ImageSet | np.ndarray | None, config: RunConfig) -> data.ImageSet | None:
    """Returns images that were given, in the shape that a run's networks take.

    Args:
        images: A set of images, which passes as it is; what `load_images` takes; or None.
        config: The run's config.

    Raises:
        InputError: As for `load_images`.
    """
    if images is None or isinstance(images, data.ImageSet):
        return images
    network = config.network
    size, channels = network.image_size, network.channels
    return data.load_images(images, split="all", image_size=size, channels=channels)


def _check_images(config: RunConfig, images: data.ImageSet) -> None:
    """Makes sure that there is a batch of images in the networks' shape."""
    network, count, steps = config.network, len(images.images), config.training.batch_size
    shape = (network.image_size, network.image_size, network.channels)
    if images.images.dtype != np.uint8 or images.images.shape[1:] != shape:
        raise InputError(
            f"{config.data}: expected uint8 images of shape {shape}, as the networks take, received "
            f"{images.images.dtype} of shape {images.images.shape[1:]}"
        )
    if count < steps:
        raise InputError(
            f"{config.data}: expected at least a batch of {steps} images, found {count}; lower "
            "--batch-size"
        )
    class_labels.training_labels(images, network.classes)
    keras_limits.check_steps(count // steps)


def load_reference(
    config: RunConfig,
    partition: data.Partition,
    *,
    extractor: features.FeatureExtractor | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
) -> features.Reference | None:
    """Returns the features of held-out images, which a run's samples are compared with.

    Args:
        config: The run.
        partition: Its images; the floor comes from those that are not held out.
        extractor: Defaults to the one that the run names.
        cache_dir: Directory to keep the statistics and learned features in. Defaults to None: nothing
            is kept.

    Returns:
        The reference; None if the run names no extractor, or fewer than 100 images are held out, too
        few to measure a distance.

    Raises:
        InputError: If there is no such extractor.
    """
    reals, others = partition.held_out.images, partition.rest.images
    is_enough = len(reals) >= _FEWEST_REALS
    # Too few reals are no reason to accept an extractor that cannot be used, or to learn one.
    extractor = extractor or features.for_run(
        config, partition.rest if is_enough else None, cache_dir=cache_dir
    )
    if extractor is None:
        return None
    if not is_enough:
        logging.getLogger("dcgan").warning(
            "%s: distances are not measured: %d images are held out, but %d are needed.",
            config.data,
            len(reals),
            _FEWEST_REALS,
        )
        return None
    count = min(_MOST_SAMPLES, len(others))
    return features.Reference.compute(
        reals, extractor, floor_images=others, fake_count=count, cache_dir=cache_dir
    )


def _check_replicas(config: RunConfig, strategy: tf.distribute.Strategy) -> None:
    replicas = strategy.num_replicas_in_sync
    if config.training.batch_size % replicas:
        raise InputError(
            f"batch_size: expected a multiple of the strategy's {replicas} replicas. "
            f"Received: {config.training.batch_size}"
        )


def _writers(run: RunDirectory, config: RunConfig) -> list[keras.callbacks.Callback]:
    network = config.network
    replayed = min(500, _REPLAYED_BYTES // (network.image_size**2 * network.channels))
    return [
        dcgan_callbacks.ImageGrid(run.samples),
        dcgan_callbacks.InterpolationStrip(run.interpolations, every=5),
        dcgan_callbacks.MetricsLog(run.metrics),
        dcgan_callbacks.MetricsLog(run.timings, timings=True),
        dcgan_callbacks.TensorBoardImages(run.logs),
        dcgan_callbacks.ProgressGif(run.progress_gif, run.samples),
        dcgan_callbacks.FakeReplay(run.replay, count=replayed),
    ]
