"""A run from its configuration: assembled, fitted, and continued where it was interrupted."""

import dataclasses
import logging
import os
from collections.abc import Sequence

import keras
import tensorflow as tf

from dcgan import callbacks as dcgan_callbacks
from dcgan import data, distribution, features, files
from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.model import DCGAN
from dcgan.runs.run_directory import RunDirectory

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
    images: data.ImageSet | None = None,
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
        images: The images to train on. Defaults to loading `config.data`.
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
        InputError: If the data, the directory or the config cannot be used.
        WorkerLostError: If another worker of a distributed training is gone.

    Example:
        >>> result = train(dcgan.presets.get("mnist"), "runs/mnist")
        >>> result.model.generate(16)
    """
    run = RunDirectory(out)
    strategy = strategy or distribution.make_strategy(config.strategy)
    _check_replicas(config, strategy)
    run.check(config)
    given = images is not None
    images = images or load_images(config)
    if not distribution.is_chief(strategy):
        return _fit(config, run, images, strategy, callbacks, verbose=verbose, writes=False)
    # Nothing is written before all of the config has proved usable.
    extractor = None if given or reference else features.for_run(config)
    with run.lock():
        if extractor is not None:
            reference = load_reference(config, images, extractor=extractor, cache_dir=run.references)
        run.claim(config)
        if reference is not None:
            # First, so that all who read the logs find the distances.
            every = config.training.evaluate_every
            callbacks = [dcgan_callbacks.SampleDistance(reference, every=every), *callbacks]
        callbacks = [*callbacks, *_writers(run, config)]
        return _fit(config, run, images, strategy, callbacks, verbose=verbose, writes=True)


def _fit(
    config: RunConfig,
    run: RunDirectory,
    images: data.ImageSet,
    strategy: tf.distribute.Strategy,
    callbacks: Sequence[keras.callbacks.Callback],
    *,
    verbose: int,
    writes: bool,
) -> TrainingResult:
    training = config.training
    steps = len(images.images) // training.batch_size
    with strategy.scope():
        model = DCGAN.from_preset(config, total_steps=steps * training.epochs)
    guard = dcgan_callbacks.TrainingGuard()
    companions = [callback for callback in (guard, *callbacks) if hasattr(callback, "get_state")]
    checkpoint = dcgan_callbacks.RunCheckpoint(
        run.checkpoints, every=training.checkpoint_every, companions=companions
    )
    first_epoch = checkpoint.restore(model)
    batches = data.batches(
        images.images, training.batch_size, seed=config.seed, repeat=True, first_epoch=first_epoch
    )
    with distribution.naming_lost_workers(strategy):
        model.fit(
            batches,
            steps_per_epoch=steps,
            initial_epoch=first_epoch,
            epochs=training.epochs,
            callbacks=[guard, *callbacks, *([checkpoint] if writes else [])],
            verbose=verbose,
            shuffle=False,
        )
    stopped = guard.message or (_BROKEN_OFF if checkpoint.broken_off else None)
    if writes and stopped is None:
        with files.write_atomically(run.model) as temporary:
            model.save(temporary)
    return TrainingResult(model, run, first_epoch, stopped)


def load_images(config: RunConfig) -> data.ImageSet:
    """Loads a run's images in its networks' shape, and warns of files that were left out.

    Raises:
        InputError: If the images cannot be used, or are fewer than a batch.
    """
    images = data.load_split(config, config.split)
    if len(images.images) < config.training.batch_size:
        raise InputError(
            f"{config.data}: expected at least a batch of {config.training.batch_size} images, "
            f"found {len(images.images)}; lower --batch-size"
        )
    if images.skipped:
        logging.getLogger("dcgan").warning(
            "%s: %d files that cannot be read were left out.", config.data, images.skipped
        )
    return images


def load_reference(
    config: RunConfig,
    images: data.ImageSet,
    *,
    extractor: features.FeatureExtractor | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
) -> features.Reference | None:
    """Returns the features of the data's test split, which a run's samples are compared with.

    Args:
        config: The run.
        images: The images that it trains on, which give the floor.
        extractor: Defaults to the one that the run names.
        cache_dir: Directory to keep the statistics in. Defaults to None: nothing is kept.

    Returns:
        The reference; None if the run names no extractor, or the test split has fewer than 100 images,
        too few to measure a distance.

    Raises:
        InputError: If there is no such extractor.
    """
    extractor = extractor or features.for_run(config)
    if extractor is None:
        return None
    reals = data.load_split(config, "test").images
    if len(reals) < _FEWEST_REALS:
        logging.getLogger("dcgan").warning(
            "%s: distances are not measured: the test split has %d images, but %d are needed.",
            config.data,
            len(reals),
            _FEWEST_REALS,
        )
        return None
    count = min(_MOST_SAMPLES, len(images.images))
    return features.Reference.compute(
        reals, extractor, floor_images=images.images, fake_count=count, cache_dir=cache_dir
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
