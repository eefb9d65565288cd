"""Samples of each epoch, kept so that a detector can learn from earlier generators."""

import os
import pathlib
from typing import Any

import keras
import numpy as np

from dcgan import images
from dcgan.runs import replay_files
from dcgan.system import files


class FakeReplay(keras.callbacks.Callback):
    """Keeps some samples of each of the last epochs as `epoch_001.npz`, key `images`, uint8.

    A detector that has seen a generator's earlier states generalises better than one that has seen only
    the last. A generator that has diverged to NaN makes no samples and is passed over.

    Args:
        directory: Where the files go.
        count: Samples of each epoch. Defaults to 500.
        keep: How many of the latest epochs to keep. Defaults to 10.
        seed: Seed of the latents, which differ in each epoch. Defaults to 0.

    Raises:
        ValueError: If `count` or `keep` is not above zero.

    Example:
        >>> history = model.fit(dataset, epochs=50, callbacks=[FakeReplay("replay")])
        >>> np.load("replay/epoch_001.npz")["images"].shape
        (500, 28, 28, 1)

    Reference:
        [Shrivastava et al., 2017](https://arxiv.org/abs/1612.07828), section 2.3
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        count: int = 500,
        keep: int = 10,
        seed: int = 0,
    ) -> None:
        super().__init__()
        for name, value in (("count", count), ("keep", keep)):
            if value < 1:
                raise ValueError(f"Expected {name} of at least 1. Received: {name}={value}")
        self.directory = pathlib.Path(directory)
        self.count = count
        self.keep = keep
        self.seed = seed

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Draws samples, writes them and removes those too old, or of later epochs that are repeated."""
        drawn = self.model.generate(self.count, seed=self.seed * 100_000 + epoch)
        if not np.isfinite(drawn).all():
            return
        path = self.directory / f"epoch_{epoch + 1:03d}.npz"
        with files.write_atomically(path) as temporary:
            np.savez_compressed(temporary, images=images.to_uint8(drawn))
        for other in replay_files.list_all(self.directory):
            if not epoch + 1 - self.keep < replay_files.epoch_of(other) <= epoch + 1:
                other.unlink()
