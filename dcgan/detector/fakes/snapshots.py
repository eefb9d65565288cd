"""Fakes drawn from a GAN while it trains."""

import dataclasses

import keras
import numpy as np

from dcgan import data, sampling
from dcgan.data.indexed_images import Images
from dcgan.detector.fakes.fake_pool import Fakes
from dcgan.model import DCGAN

SNAPSHOTS = 4


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class LearningGan:
    """A GAN that is about to train, and to be drawn from four times meanwhile.

    Attributes:
        name: The generator's name in the pool.
        model: A compiled model.
        count: How many fakes in all.
        steps: Training steps, rounded down to equal parts.
        warm_up: How many parts, each as long as those between two draws, come before. Defaults to 0.
        batch_size: Reals in a step.
        seed: Seed for the order of the reals.
        latent_seed: Seed of the latents; each part adds 1.
    """

    name: str
    model: DCGAN
    count: int
    steps: int
    warm_up: int = 0
    batch_size: int
    seed: int
    latent_seed: int


def draw_while_training(
    gan: LearningGan,
    reals: Images,
    *,
    labels: np.ndarray | None = None,
    callback: keras.callbacks.Callback,
) -> Fakes:
    """Trains a GAN and draws a quarter of its fakes at each of four times.

    Args:
        gan: Its model goes on training.
        reals: Shape (images, height, width, channels), uint8.
        labels: The reals' labels, shape (images,), which a conditional model needs. Defaults to None.
        callback: Called by `fit`.

    Returns:
        The fakes of all times.
    """
    shares = np.diff(np.linspace(0, gan.count, SNAPSHOTS + 1).astype(int))
    drawn: list[np.ndarray] = []

    def draw(epoch: int, logs: object) -> None:
        if epoch >= gan.warm_up:
            share = int(shares[epoch - gan.warm_up])
            drawn.append(sampling.draw(gan.model, share, seed=gan.latent_seed + epoch))

    epochs = gan.warm_up + SNAPSHOTS
    gan.model.fit(
        data.batches(reals, gan.batch_size, labels=labels, seed=gan.seed, repeat=True),
        steps_per_epoch=max(1, gan.steps // epochs),
        epochs=epochs,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=draw), callback],
        verbose=0,
        shuffle=False,
    )
    return Fakes(gan.name, "gan", np.concatenate(drawn))
