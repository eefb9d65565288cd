"""Partial fakes: a region of a fake in a real image, with a soft edge.

Reference:
    against clues of the whole image: [Guillaro et al., 2024](https://arxiv.org/abs/2412.17671)
"""

import numpy as np
import scipy.ndimage

from dcgan.data.indexed_images import Images

_AREAS = (0.25, 0.6)
_POWERS = (2.0, 8.0)
_ASPECTS = (0.6, 1.7)
_EDGE = 0.8


def paste(
    images: np.ndarray, reals: Images, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Puts a region of each image into a real one: an ellipse or a rounded box, turned, anywhere.

    Args:
        images: Shape (count, height, width, channels), uint8.
        reals: Shape (any, height, width, channels), uint8; the backgrounds are drawn from them.
        rng: Source of every draw.

    Returns:
        The mixed images, uint8, and which of their pixels are the region's, shape (count, height,
        width), bool: 25 to 60 % of the area.
    """
    regions = draw_regions(len(images), images.shape[1], images.shape[2], rng=rng)
    backgrounds = reals[rng.integers(0, len(reals), len(images))]
    soft = scipy.ndimage.gaussian_filter(regions.astype(np.float32), (0, _EDGE, _EDGE))[..., np.newaxis]
    mixed = soft * images + (1 - soft) * backgrounds
    return np.rint(mixed).astype(np.uint8), regions


def draw_regions(count: int, height: int, width: int, *, rng: np.random.Generator) -> np.ndarray:
    """Draws regions of 25 to 60 % of the area, shape (count, height, width), bool."""
    shape = (count, 1, 1)
    y, x = np.mgrid[:height, :width] / np.array([height - 1, width - 1]).reshape(2, 1, 1) - 0.5
    down, across = rng.uniform(-0.3, 0.3, (2, *shape))
    angle, aspect = rng.uniform(0, np.pi, shape), rng.uniform(*_ASPECTS, shape)
    power = rng.choice(_POWERS, shape)
    turned = (y - down) * np.cos(angle) + (x - across) * np.sin(angle)
    other = (x - across) * np.cos(angle) - (y - down) * np.sin(angle)
    distance = (np.abs(turned) * aspect) ** power + np.abs(other) ** power
    # The nearest pixels to the middle, as many as there are to be.
    ranks = distance.reshape(count, height * width).argsort(axis=1).argsort(axis=1)
    areas = rng.uniform(*_AREAS, (count, 1)) * height * width
    return (ranks < areas).reshape(count, height, width)
