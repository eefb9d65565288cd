"""A run from its configuration: assembled, fitted, and continued where it was interrupted."""

import dataclasses
import os
from collections.abc import Sequence

import keras
import tensorflow as tf

from dcgan import callbacks as dcgan_callbacks
from dcgan import data, distribution, files
from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.model import DCGAN
from dcgan.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What `train` leaves.

    Attributes:
        model: The trained model.
        run: Where its files are.
        first_epoch: How many epochs were already done when this training began.
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
    strategy: tf.distribute.Strategy | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 0,
) -> TrainingResult:
    """Trains a run, or goes on with one that was interrupted.

    Killed at any moment and called again, it ends with the same weights, metrics and samples as if it
    had not been; to the bit with `tf.config.experimental.enable_op_determinism()`.

    Args:
        config: What to train.
        out: The run's directory; made if needed.
        images: The images to train on. Defaults to loading `config.data`.
        strategy: Defaults to the one that `config.strategy` names.
        callbacks: Called before the run's own.
        verbose: Keras's progress bar: 0 or 1. Defaults to 0.

    Returns:
        The model and how it went.

    Raises:
        InputError: If the data, the directory or the settings cannot be used.

    Example:
        >>> result = train(dcgan.presets.get("mnist"), "runs/mnist")
        >>> result.model.generate(16)
    """
    run = RunDirectory(out)
    strategy = strategy or distribution.make_strategy(config.strategy)
    _check_replicas(config, strategy)
    images = images or load_images(config)
    if not distribution.is_chief(strategy):
        return _fit(config, run, images, strategy, callbacks, verbose=verbose, writes=False)
    with run.lock():
        run.claim(config)
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
    checkpoint = dcgan_callbacks.RunCheckpoint(
        run.checkpoints, every=training.checkpoint_every, companions=[guard]
    )
    first_epoch = checkpoint.restore(model)
    model.fit(
        data.batches(
            images.images,
            training.batch_size,
            seed=config.seed,
            repeat=True,
            first_epoch=first_epoch,
        ),
        steps_per_epoch=steps,
        initial_epoch=first_epoch,
        epochs=training.epochs,
        callbacks=[*callbacks, guard, *([*_writers(run), checkpoint] if writes else [])],
        verbose=verbose,
        shuffle=False,
    )
    if writes and guard.reason is None:
        with files.write_atomically(run.model) as temporary:
            model.save(temporary)
    return TrainingResult(model, run, first_epoch, guard.message)


def load_images(config: RunConfig) -> data.ImageSet:
    """Loads a run's images in its networks' shape.

    Args:
        config: The run.

    Raises:
        InputError: If the images cannot be used, or are fewer than a batch.
    """
    images = data.load_images(
        config.data,
        split=config.split,
        image_size=config.network.image_size,
        channels=config.network.channels,
        skip_bad=config.skip_bad,
    )
    if len(images.images) < config.training.batch_size:
        raise InputError(
            f"{config.data}: expected at least a batch of {config.training.batch_size} images, "
            f"found {len(images.images)}; lower --batch-size"
        )
    return images


def _check_replicas(config: RunConfig, strategy: tf.distribute.Strategy) -> None:
    replicas = strategy.num_replicas_in_sync
    if config.training.batch_size % replicas:
        raise InputError(
            f"batch_size: expected a multiple of the strategy's {replicas} replicas. "
            f"Received: {config.training.batch_size}"
        )


def _writers(run: RunDirectory) -> list[keras.callbacks.Callback]:
    """What a run leaves of each epoch, before the checkpoint that counts it as done."""
    return [
        dcgan_callbacks.ImageGrid(run.samples),
        dcgan_callbacks.InterpolationStrip(run.interpolations, every=5),
        dcgan_callbacks.MetricsLog(run.metrics),
        dcgan_callbacks.MetricsLog(run.timings, timings=True),
        dcgan_callbacks.TensorBoardImages(run.logs),
        dcgan_callbacks.ProgressGif(run.progress_gif, run.samples),
    ]
