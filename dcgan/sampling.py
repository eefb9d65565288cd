"""Samples of a trained run as files."""

import os
import pathlib
from typing import Any

import keras
import numpy as np

from dcgan import images
from dcgan.errors import InputError
from dcgan.model import DCGAN
from dcgan.runs import checkpoint_files
from dcgan.system import files

# What Keras raises for a file of another kind.
_UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, TypeError, KeyError)


def load_model(path: str | os.PathLike[str]) -> DCGAN:
    """Loads a trained model without its optimizers.

    Args:
        path: A `.keras` file that a run or `DCGAN.save` wrote.

    Raises:
        InputError: If the file is missing, damaged or holds something else.
    """
    if (damage := checkpoint_files.find_archive_damage(path)) is not None:
        raise InputError(f"{path}: expected a DCGAN in a .keras file ({damage})")
    try:
        model = keras.models.load_model(path, compile=False)
    except _UNREADABLE as error:
        raise InputError(f"{path}: expected a DCGAN in a .keras file ({error})") from None
    if not isinstance(model, DCGAN):
        raise InputError(f"{path}: expected a DCGAN, found {type(model).__name__}")
    return model


def draw(
    model: DCGAN, count: int, *, labels: int | np.ndarray | None = None, seed: int = 0
) -> np.ndarray:
    """Draws samples as 8-bit images.

    Args:
        model: A trained model.
        count: Number of samples.
        labels: As for `DCGAN.generate`. Defaults to None.
        seed: Seed of the latents. Defaults to 0.

    Returns:
        Shape (count, height, width, channels), uint8, 0 to 255.
    """
    return images.to_uint8(model.generate(count, labels=labels, seed=seed))


def write(
    samples: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    grid: str | os.PathLike[str] | None = None,
    npz: str | os.PathLike[str] | None = None,
    png_dir: str | os.PathLike[str] | None = None,
) -> list[pathlib.Path]:
    """Writes samples in each form that is given a path.

    Args:
        samples: Shape (count, height, width, channels), uint8.
        labels: Their classes, shape (count,), integers. Defaults to None.
        grid: A PNG file with all of them side by side, class after class.
        npz: A compressed NumPy archive, keys `images` and, of a conditional model, `labels`.
        png_dir: A directory for one PNG each, `000001.png` onwards.

    Returns:
        The files and the directory.

    Raises:
        InputError: If a place cannot be written to.
    """
    written = []
    arrays: dict[str, Any] = {"images": samples} | ({} if labels is None else {"labels": labels})
    try:
        if grid:
            order = np.arange(len(samples)) if labels is None else np.argsort(labels, kind="stable")
            written.append(images.save_png(grid, images.grid(samples[order])))
        if npz:
            with files.write_atomically(npz) as temporary, temporary.open("wb") as file:
                np.savez_compressed(file, **arrays)
            written.append(pathlib.Path(npz))
        if png_dir:
            for index, sample in enumerate(samples, 1):
                image = sample[..., 0] if sample.shape[-1] == 1 else sample
                images.save_png(pathlib.Path(png_dir) / f"{index:06d}.png", image)
            written.append(pathlib.Path(png_dir))
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{error.filename}: expected a place to write to ({reason})") from None
    return written
