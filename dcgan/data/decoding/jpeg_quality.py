"""The quality that a JPEG was saved with."""

import functools

import numpy as np
import PIL.Image

# The luminance table of the JPEG standard's annex K, which encoders scale; in any order.
_STANDARD = np.array(
    [
        *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
        *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
        *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
        *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
    ]
)


def _sum(quality: int) -> int:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return int(((_STANDARD * scale + 50) // 100).clip(1, 255).sum())


_SUMS = np.array([_sum(quality) for quality in range(1, 101)])


def read(image: PIL.Image.Image) -> int:
    """Estimates a JPEG's quality from how coarse its luminance table is, as libjpeg counts it.

    Args:
        image: An opened image.

    Returns:
        1 to 100, or 0 if the image is no JPEG.
    """
    tables = getattr(image, "quantization", None)
    if image.format != "JPEG" or not tables:
        return 0
    return _nearest(sum(tables[min(tables)]))


@functools.lru_cache
def _nearest(total: int) -> int:
    """The quality whose table sums to about so much; most files share a few tables."""
    return 1 + int(np.abs(_SUMS - total).argmin())


def read_kept(image: PIL.Image.Image, shape: tuple[int, int, int]) -> int:
    """Reads the quality of a JPEG whose traces stay when it gets another shape.

    Scaling leaves little of what JPEG has done.

    Args:
        image: An opened image.
        shape: The (height, width, channels) that it is cropped and scaled to.

    Returns:
        1 to 100, or 0 if the image is scaled or no JPEG.
    """
    return read(image) if min(image.size) == min(shape[:2]) else 0
