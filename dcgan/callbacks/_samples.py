"""Shared by the callbacks that draw samples."""

from typing import Any

import numpy as np

from dcgan import images

_VISIBLE_SIDE = 64
_MOST_ROWS, _FEWEST_COLUMNS = 16, 4


def check_positive(**numbers: float) -> None:
    """Raises `ValueError` for the first number that is not above zero."""
    for name, number in numbers.items():
        if number <= 0:
            raise ValueError(f"Expected `{name}` to be above 0. Received: {name}={number}")


def draw(model: Any, count: int, *, seed: int) -> tuple[np.ndarray, int | None]:
    """Draws samples for a sheet, which has a row for each class of a conditional model.

    Of more than 16 classes, 16 are drawn, evenly spread over those that the model was trained on.

    Args:
        model: A `DCGAN`.
        count: How many; of a conditional model at least as many, in rows of at least 4.
        seed: Seed of the latents.

    Returns:
        Shape (count, height, width, channels), float32, and samples a row, None for a square sheet.
    """
    if not getattr(model, "classes", 0):
        return model.generate(count, seed=seed), None
    rows = model.spread_labels(_MOST_ROWS)
    columns = max(_FEWEST_COLUMNS, -(-count // len(rows)))
    labels = np.repeat(rows, columns)
    return model.generate(len(labels), labels=labels, seed=seed), columns


def sheet(samples: np.ndarray, *, columns: int | None = None, enlarge: int | None = None) -> np.ndarray:
    """Lays samples out for a person to look at.

    A diverged generator makes NaN, which has no grey level: it is drawn mid-grey.

    Args:
        samples: Shape (count, height, width, channels), float32, -1 to 1.
        columns: Samples a row. Defaults to a grid as square as possible.
        enlarge: Factor by which every pixel is repeated. Defaults to the smallest that brings the
            samples to 64 pixels: 3 for 28 pixels, 2 for 32, 1 from 64 on.

    Returns:
        Shape (grid height, grid width) or (grid height, grid width, 3), uint8.
    """
    factor = enlarge or -(-_VISIBLE_SIDE // max(samples.shape[1:3]))
    grid = images.grid(np.nan_to_num(samples, nan=0.0), columns=columns)
    return images.enlarge(grid, factor)
