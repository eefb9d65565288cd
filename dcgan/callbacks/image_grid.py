"""Grids of generated images, one file an epoch."""

import os
import pathlib
from typing import Any

import keras

from dcgan import images
from dcgan.callbacks import _samples


class ImageGrid(keras.callbacks.Callback):
    """Saves a grid of generated images after an epoch.

    The latents are the same at every epoch, so that the files `epoch_001.png`, `epoch_002.png` and so on
    show how the same samples change. A conditional model's have a row for each class. Epochs count from
    1, also when `fit` has an `initial_epoch`.

    Args:
        directory: Directory of the files; made if missing.
        count: Images in a grid; of a conditional model filled up to whole rows, of at least 4. Defaults
            to 16.
        seed: Seed of the latents. Defaults to 0.
        every: Epochs between two grids. Defaults to 1.
        enlarge: Factor by which every pixel is repeated. Defaults to the smallest that brings the
            images to 64 pixels, so that a person can see them: 3 for 28 pixels, 1 from 64 on.

    Raises:
        ValueError: If a number is not above zero.

    Example:
        >>> history = model.fit(dataset, epochs=50, callbacks=[ImageGrid("samples")])
        >>> pathlib.Path("samples/epoch_001.png").is_file()
        True
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        count: int = 16,
        seed: int = 0,
        every: int = 1,
        enlarge: int | None = None,
    ) -> None:
        super().__init__()
        _samples.check_positive(count=count, every=every, enlarge=1 if enlarge is None else enlarge)
        self.directory = pathlib.Path(directory)
        self.count = count
        self.seed = seed
        self.every = every
        self.enlarge = enlarge

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves the grid of epoch `epoch + 1`, if it is due."""
        number = epoch + 1
        if number % self.every == 0:
            samples, columns = _samples.draw(self.model, self.count, seed=self.seed)
            path = self.directory / f"epoch_{number:03d}.png"
            images.save_png(path, _samples.sheet(samples, columns=columns, enlarge=self.enlarge))
