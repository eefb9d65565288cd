"""The nearest training images of samples: does the generator copy what it has seen?"""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

CLOSE = 0.05
"""The share of test images that count as close to a training image, by definition."""

_BLOCK = 500
_MOST_PIXELS = 32


@dataclasses.dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest of some candidates.

    Attributes:
        rows: Which candidate it is, shape (count,), int.
        distances: How far it is, shape (count,), float64.
    """

    rows: np.ndarray
    distances: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """How near samples come to training images, with test images as the yardstick.

    Test images are as new as images can be: samples that come much nearer to the training images
    than those do are copies of them, wholly or in part; or they are blurred, which brings them nearer
    to all images.

    Attributes:
        samples: The nearest training image of each sample.
        test: The nearest training image of each test image.
    """

    samples: Nearest
    test: Nearest

    @property
    def close_share(self) -> float:
        """Share of samples that are closer than 5 % of test images are; 0.05 for new images."""
        limit = np.quantile(self.test.distances, CLOSE)
        return float(np.mean(self.samples.distances < limit))

    @property
    def median_ratio(self) -> float:
        """Median distance of samples over that of test images; below 1 for copies."""
        median = float(np.median(self.test.distances))
        return float(np.median(self.samples.distances)) / median if median else 1.0


def compare(samples: np.ndarray, test: np.ndarray, *, candidates: Iterable[np.ndarray]) -> Comparison:
    """Finds the nearest training image of samples and of test images.

    Args:
        samples: Features or pixels, shape (count, dim).
        test: Likewise.
        candidates: Those of the training images, in order, in blocks of shape (block, dim).

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
    """Finds the nearest candidate of each query, the first of equally near ones.

    Args:
        queries: Shape (count, dim).
        candidates: In blocks of shape (block, dim), which need not be in memory together.

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


def pixel_blocks(images: np.ndarray) -> Iterator[np.ndarray]:
    """Yields images as vectors whose distance is the root mean square difference in grey levels.

    Args:
        images: Shape (count, size, size, channels), uint8; from 64 pixels on they are averaged down
            to between 32 and 63.

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
    # About the middle, where the squares lose least to rounding.
    return (means - np.float32(127.5)) / np.sqrt(np.float32(means.shape[1]))
