"""The start's weights and card, which come with the package."""

import os
import pathlib
from typing import Any

import keras
import numpy as np

from dcgan.detector.layers.residual_layers import EXACT
from dcgan.detector.start.start_network import build_start_network
from dcgan.system import files

_DIRECTORY = pathlib.Path(__file__).parent
WEIGHTS = _DIRECTORY / "start.npz"
CARD = _DIRECTORY / "card.json"


def save_start(model: keras.Model, path: str | os.PathLike[str] | None = None) -> None:
    """Writes a start's weights, kernels in float16.

    Args:
        model: What `build_start_network` returned, trained.
        path: The `.npz` file to write. Defaults to the one in the package.
    """
    arrays = {weight.path: weight.numpy() for weight in model.weights}
    stored = {
        name: array.astype(np.float16) if array.ndim > 1 else array for name, array in arrays.items()
    }
    with files.write_atomically(path or WEIGHTS) as temporary:
        np.savez_compressed(temporary, **stored)


def load_start(
    image_shape: tuple[int, int, int],
    *,
    frozen: bool = False,
    precision: str = EXACT,
    seed: int = 0,
    name: str = "start",
    path: str | os.PathLike[str] | None = None,
) -> keras.Model:
    """Builds the start for images of a size and loads its weights.

    Args:
        image_shape: (height, width, 3).
        frozen: Make it one that no training changes, and that is the same in training. Defaults to
            False.
        precision: See `build_start_network`. Defaults to "float32".
        seed: Seed of dropout. Defaults to 0.
        name: The model's name. Defaults to "start".
        path: What `save_start` wrote. Defaults to the file in the package.
    """
    with np.load(path or WEIGHTS, allow_pickle=False) as stored:
        width = stored["conv1/kernel"].shape[-1]
        options: dict[str, Any] = {"dropout": 0.0} if frozen else {}
        model = build_start_network(
            image_shape, width=width, precision=precision, seed=seed, name=name, **options
        )
        model.set_weights([stored[weight.path].astype(np.float32) for weight in model.weights])
    model.trainable = not frozen
    return model


def read_card() -> dict[str, Any]:
    """Reads what the start has seen and what it found of generators that it had not seen.

    Returns:
        `generators`: a list of `name`, `family` (such as "gan" or "diffusion"), `author` and the
        number of `images`. `reals`: a list of `name` and `images`. `left_out`: by what was left out of
        training ("author") and delivery, `mean_auroc`, `worst_auroc`, `worst`, the name of the worst
        generator, and the mean AUROC by `families`.
    """
    return files.read_json(CARD, "the card of the start")
