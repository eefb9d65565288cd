"""EXIF orientation: how a camera was held, and so how pixels have to be turned to stand upright.

The exported model does the same in its graph, see `export.graph.exif`.
"""

import numpy as np

TAG = 0x0112
SHORT = 3
PREFIX = b"Exif\0\0"
MAX_ENTRIES = 64
"""How many entries of EXIF's first directory are looked through."""

# What is done to pixels, by orientation: first transposed, then mirrored in each direction.
TRANSPOSED = (5, 6, 7, 8)
FLIPPED_ACROSS = (2, 3, 6, 7)
FLIPPED_DOWN = (3, 4, 7, 8)


def read(exif: bytes) -> int:
    """Finds the orientation in an EXIF block.

    Args:
        exif: The block, with or without the prefix that JPEG has before it; may be empty or damaged.

    Returns:
        1 to 8; 1, upright, if the block says nothing valid.
    """
    block = exif.removeprefix(PREFIX)
    is_big = block.startswith(b"MM\0*")
    if not is_big and not block.startswith(b"II*\0"):
        return 1

    def number(start: int, size: int) -> int:
        return int.from_bytes(
            block[start : start + size].ljust(size, b"\0"), "big" if is_big else "little"
        )

    directory = number(4, 4)
    for entry in range(min(number(directory, 2), MAX_ENTRIES)):
        start = directory + 2 + 12 * entry
        if number(start, 2) == TAG:
            value = number(start + 8, 2)
            return value if number(start + 2, 2) == SHORT and 1 <= value <= 8 else 1
    return 1


def apply(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turns pixels upright.

    Args:
        pixels: Shape (height, width, channels).
        orientation: 1 to 8.

    Returns:
        A view; height and width are exchanged for 5 to 8.
    """
    if orientation in TRANSPOSED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in FLIPPED_ACROSS:
        pixels = pixels[:, ::-1]
    return pixels[::-1] if orientation in FLIPPED_DOWN else pixels
