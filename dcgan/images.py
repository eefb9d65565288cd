"""Pixels at the edges of the program: conversion, grids and files."""

import os
import pathlib

import imageio.v3 as imageio
import numpy as np

from dcgan.system import files


def to_float(images: np.ndarray) -> np.ndarray:
    """Maps uint8 pixels to float32, -1 to 1, which the networks work in.

    Example:
        >>> to_float(np.uint8([0, 255]))
        array([-1.,  1.], dtype=float32)
    """
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Maps float pixels, -1 to 1, to the nearest of 256 levels, uint8; values beyond are clipped.

    Example:
        >>> to_uint8(np.array([-1.0, 0.0, 1.5]))
        array([  0, 128, 255], dtype=uint8)
    """
    levels = np.rint((np.asarray(images, np.float32) + 1) * np.float32(127.5))
    return np.clip(levels, 0, 255).astype(np.uint8)


def grid(images: np.ndarray, *, columns: int | None = None, padding: int = 2) -> np.ndarray:
    """Lays images out in rows on a mid-grey background, in reading order.

    Args:
        images: Shape (count, height, width, channels), uint8 in 0 to 255 or float in -1 to 1, with
            1 or 3 channels.
        columns: Images a row. Defaults to a grid as square as possible.
        padding: Pixels between images and around them.

    Returns:
        Shape (grid height, grid width) for 1 channel, (grid height, grid width, 3) for 3; uint8.

    Raises:
        ValueError: If `images` is not such a stack or is empty.

    Example:
        >>> grid(images[:16]).shape
        (122, 122)
    """
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not len(images):
        raise ValueError(
            "Expected at least one image of shape (count, height, width, 1 or 3). "
            f"Received: images.shape={images.shape}"
        )
    if images.dtype != np.uint8:
        images = to_uint8(images)
    count, height, width, channels = images.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    cell_height, cell_width = height + padding, width + padding
    sheet_shape = (rows * cell_height + padding, columns * cell_width + padding, channels)
    sheet = np.full(sheet_shape, 127, np.uint8)
    for index, image in enumerate(images):
        top = index // columns * cell_height + padding
        left = index % columns * cell_width + padding
        sheet[top : top + height, left : left + width] = image
    return sheet[..., 0] if channels == 1 else sheet


def enlarge(image: np.ndarray, factor: int) -> np.ndarray:
    """Repeats each pixel `factor` times in both directions, so that small images can be seen.

    Example:
        >>> enlarge(np.uint8([[0, 255]]), 2)
        array([[  0,   0, 255, 255],
               [  0,   0, 255, 255]], dtype=uint8)
    """
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def save_png(path: str | os.PathLike[str], image: np.ndarray) -> pathlib.Path:
    """Writes a uint8 image of shape (height, width) or (height, width, 3) as PNG, atomically.

    Example:
        >>> save_png("digits.png", dcgan.images.grid(images[:16]))
        PosixPath('digits.png')
    """
    with files.write_atomically(path) as temporary:
        # Its own writing to a full disk ends in a second error, in a finaliser.
        temporary.write_bytes(imageio.imwrite("<bytes>", image, extension=".png"))
    return pathlib.Path(path)
