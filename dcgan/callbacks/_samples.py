"""Shared by the callbacks that draw samples."""

import numpy as np

from dcgan import images

_VISIBLE_SIDE = 64


def check_positive(**numbers: float) -> None:
    """Raises `ValueError` for the first number that is not above zero."""
    for name, number in numbers.items():
        if number <= 0:
            raise ValueError(f"Expected `{name}` to be above 0. Received: {name}={number}")


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
