"""The course of a training as an animated GIF."""

import logging
import os
import pathlib
import re
from typing import Any

import imageio.v3 as imageio
import keras
import numpy as np

from dcgan import errors
from dcgan.system import files

_GRID_NAME = re.compile(r"epoch_(\d+)\.png")
_MOST_FRAMES = 100
_SHORTEST_SECONDS = 0.02


class ProgressGif(keras.callbacks.Callback):
    """Makes an animated GIF of the saved grids when training ends.

    The grids are the files `epoch_001.png` and so on that `ImageGrid` saves, those of an earlier part of
    the run included. More than 100 are thinned evenly to 100, first and last kept, so that a long
    training still makes a file of a few megabytes. Grids that cannot be animated are reported by a
    warning on the logger `dcgan`, since an exception would lose a training that has already ended.

    Args:
        path: The GIF to write, whole or not at all.
        frames: Directory of the grids; other files in it are ignored.
        frame_seconds: Time for a grid, at least 0.02 seconds. Defaults to 0.25.
        last_seconds: Time for the last grid, at least 0.02 seconds. Defaults to 2.

    Raises:
        ValueError: If a time is too short.

    Example:
        >>> grid = ImageGrid("samples")
        >>> gif = ProgressGif("progress.gif", "samples")
        >>> history = model.fit(dataset, epochs=50, callbacks=[grid, gif])
        >>> pathlib.Path("progress.gif").is_file()
        True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        frames: str | os.PathLike[str],
        *,
        frame_seconds: float = 0.25,
        last_seconds: float = 2.0,
    ) -> None:
        super().__init__()
        for name, value in {"frame_seconds": frame_seconds, "last_seconds": last_seconds}.items():
            if value < _SHORTEST_SECONDS:
                raise ValueError(
                    f"Expected `{name}` to be at least {_SHORTEST_SECONDS} seconds, below which "
                    f"browsers slow a GIF down. Received: {name}={value}"
                )
        self.path = pathlib.Path(path)
        self.frames = pathlib.Path(frames)
        self.frame_seconds = frame_seconds
        self.last_seconds = last_seconds

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Writes the GIF, or warns."""
        try:
            self.write()
        except errors.InputError as error:
            logging.getLogger("dcgan").warning("No GIF %s: %s", self.path, error)

    def write(self) -> None:
        """Writes the GIF, which repeats for ever.

        Raises:
            InputError: If there is no grid, one cannot be read, or their sizes differ.
        """
        stack = _read_frames(_thin(_find_frames(self.frames)))
        times = [self.frame_seconds] * (len(stack) - 1) + [self.last_seconds]
        milliseconds = [round(1000 * seconds) for seconds in times]
        # Pillow takes no list for a single image.
        duration = milliseconds if len(stack) > 1 else milliseconds[0]
        with files.write_atomically(self.path) as temporary:
            temporary.write_bytes(
                imageio.imwrite(
                    "<bytes>", stack, extension=".gif", is_batch=True, duration=duration, loop=0
                )
            )


def _find_frames(directory: pathlib.Path) -> list[pathlib.Path]:
    matches = {path: _GRID_NAME.fullmatch(path.name) for path in directory.glob("epoch_*.png")}
    epochs = {path: int(match.group(1)) for path, match in matches.items() if match}
    if not epochs:
        raise errors.InputError(
            f"Expected grids named epoch_001.png and so on. Received: frames={directory}"
        )
    return sorted(epochs, key=epochs.__getitem__)


def _thin(paths: list[pathlib.Path]) -> list[pathlib.Path]:
    kept = np.linspace(0, len(paths) - 1, min(len(paths), _MOST_FRAMES)).round().astype(int)
    return [paths[index] for index in kept]


def _read_frames(paths: list[pathlib.Path]) -> np.ndarray:
    """Returns shape (count, height, width) or (count, height, width, 3), uint8."""
    grids: list[np.ndarray] = []
    for path in paths:
        try:
            grids.append(imageio.imread(path))
        except OSError as error:
            raise errors.InputError(f"Expected a readable PNG. Received: {path}") from error
        if grids[-1].shape != grids[0].shape:
            raise errors.InputError(
                f"Expected grids of one size, {grids[0].shape} as in {paths[0]}. "
                f"Received: {grids[-1].shape} in {path}"
            )
    return np.stack(grids)
