"""Fakes drawn from a GAN while it trains."""

import keras
import numpy as np

from dcgan import data, sampling
from dcgan.model import DCGAN

SNAPSHOTS = 4


def draw_while_training(
    model: DCGAN,
    reals: np.ndarray,
    *,
    count: int,
    steps: int,
    warm_up: int = 0,
    batch_size: int,
    seed: int,
    latent_seed: int,
    callback: keras.callbacks.Callback,
) -> np.ndarray:
    """Trains a model and draws an equal share of fakes at each of four times.

    Args:
        model: A compiled model; it goes on training.
        reals: Shape (images, height, width, channels), uint8.
        count: How many fakes in all.
        steps: Training steps, rounded down to equal parts.
        warm_up: For how many parts, as long as those between two draws, it trains before. Defaults to 0.
        batch_size: Reals a step.
        seed: Seed for the order of the reals.
        latent_seed: Seed of the latents; each time adds 1.
        callback: Called by `fit`.

    Returns:
        Shape (count, height, width, channels), uint8.
    """
    shares = np.diff(np.linspace(0, count, SNAPSHOTS + 1).astype(int))
    drawn: list[np.ndarray] = []

    def draw(epoch: int, logs: object) -> None:
        if epoch >= warm_up:
            share = int(shares[epoch - warm_up])
            drawn.append(sampling.draw(model, share, seed=latent_seed + epoch))

    epochs = warm_up + SNAPSHOTS
    model.fit(
        data.batches(reals, batch_size, seed=seed, repeat=True),
        steps_per_epoch=max(1, steps // epochs),
        epochs=epochs,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=draw), callback],
        verbose=0,
        shuffle=False,
    )
    return np.concatenate(drawn)
