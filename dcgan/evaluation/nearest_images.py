"""The nearest training images of samples: does the generator copy what it has seen?"""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from dcgan.data.indexed_images import Images

CLOSE = 0.05
"""The share of test images that count as close to a training image, by definition."""

_BLOCK = 500
_MOST_PIXELS = 32


@dataclasses.dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest candidate of each query.

    Attributes:
        rows: The candidates' row numbers, shape (count,), int.
        distances: Their distances, shape (count,), float64.
    """

    rows: np.ndarray
    distances: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """How close samples are to training images, with test images as the yardstick.

    Test images are as new as images can be. Samples that are much closer to training images are
    copies, wholly or in part, or they are blurred, which brings them closer to all images.

    Attributes:
        samples: The nearest training image of each sample.
        test: The nearest training image of each test image.
    """

    samples: Nearest
    test: Nearest

    @property
    def close_share(self) -> float:
        """Share of samples that are closer than the closest 5 % of test images; 0.05 for new images."""
        limit = np.quantile(self.test.distances, CLOSE)
        return float(np.mean(self.samples.distances < limit))


def compare(samples: np.ndarray, test: np.ndarray, *, candidates: Iterable[np.ndarray]) -> Comparison:
    """Finds the nearest training image of samples and of test images.

    Args:
        samples: Features or pixels, shape (count, dim).
        test: Likewise.
        candidates: Features or pixels of the training images, in blocks of shape (block, dim).

    Returns:
        The comparison, in Euclidean distances.
    """
    both = find(np.concatenate([samples, test]), candidates)
    border = len(samples)
    return Comparison(
        Nearest(both.rows[:border], both.distances[:border]),
        Nearest(both.rows[border:], both.distances[border:]),
    )


def find(queries: np.ndarray, candidates: Iterable[np.ndarray]) -> Nearest:
    """Finds the nearest candidate of each query, the first of those that are equally near.

    Args:
        queries: Shape (count, dim).
        candidates: Blocks of shape (block, dim), which need not be in memory together.

    Returns:
        The nearest candidates, in Euclidean distance.
    """
    own = np.einsum("ij,ij->i", queries, queries)
    rows = np.zeros(len(queries), np.int64)
    squares = np.full(len(queries), np.inf)
    seen = 0
    for block in candidates:
        distances = np.einsum("ij,ij->i", block, block) - 2 * (queries @ block.T)
        best = distances.argmin(axis=1)
        found = distances[np.arange(len(queries)), best] + own
        nearer = found < squares
        rows[nearer] = seen + best[nearer]
        squares[nearer] = found[nearer]
        seen += len(block)
    return Nearest(rows, np.sqrt(np.maximum(squares, 0.0)))


def pixel_blocks(images: Images) -> Iterator[np.ndarray]:
    """Yields images as vectors whose distance is the root mean square difference in grey levels.

    Args:
        images: Shape (count, size, size, channels), uint8; images of 64 pixels or more are averaged
            down to between 32 and 63.

    Yields:
        Shape (block, dim), float32.
    """
    for start in range(0, len(images), _BLOCK):
        yield pixels(images[start : start + _BLOCK])


def pixels(images: np.ndarray) -> np.ndarray:
    """Returns all images as `pixel_blocks` does, in one array."""
    count, size, _, channels = images.shape
    factor = max(1, size // _MOST_PIXELS)
    side = size // factor
    cells = images[:, : side * factor, : side * factor].reshape(
        count, side, factor, side, factor, channels
    )
    means = cells.mean(axis=(2, 4), dtype=np.float32).reshape(count, -1)
    # Centred, so that the squares lose least to rounding.
    return (means - np.float32(127.5)) / np.sqrt(np.float32(means.shape[1]))
