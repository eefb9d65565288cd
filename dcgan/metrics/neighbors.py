"""Fidelity and diversity from k-nearest neighbours."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

_BLOCK = 200


class Neighborhood(NamedTuple):
    """Four metrics from k-nearest neighbours, as `neighborhood` returns them.

    Attributes:
        precision: Share of fakes within the real images' manifold, 0 to 1.
        recall: Share of real images within the fakes' manifold, 0 to 1.
        density: Mean number of real neighbourhoods a fake lies in, over k; 1 for equal
            distributions, without an upper bound.
        coverage: Share of real images with a fake in their neighbourhood, 0 to 1.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def neighborhood(
    real: np.ndarray, fake: np.ndarray, *, manifold_k: int = 3, density_k: int = 5
) -> Neighborhood:
    """Returns improved precision and recall, density and coverage of two sets of features.

    A sample's neighbourhood is the ball that reaches its k-th nearest neighbour of the same set,
    itself not counted. Distances are taken in blocks of 200 rows, so that memory grows with the
    larger set and not with the product.

    Args:
        real: Shape (count, dim), float.
        fake: Shape (count, dim), float.
        manifold_k: k of precision and recall. Defaults to 3, as published.
        density_k: k of density and coverage. Defaults to 5, as published.

    Returns:
        The four metrics; higher is better.

    Raises:
        ValueError: If the dimensions differ or a set has no more samples than the larger k.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> real, fake = rng.normal(size=(1000, 4)), rng.normal(1, size=(1000, 4))
        >>> round(neighborhood(real, fake).precision, 1)
        0.8

    Reference:
        Kynkaanniemi et al. (2019), Improved Precision and Recall Metric for Assessing Generative
        Models; Naeem et al. (2020), Reliable Fidelity and Diversity Metrics for Generative Models.
    """
    real, fake = _centred(real, fake, smallest=max(manifold_k, density_k) + 1)
    real_wide, real_narrow = _squared_radii(real, (density_k, manifold_k))
    (fake_narrow,) = _squared_radii(fake, (manifold_k,))
    near_real, near_fake, covered = [], [], np.zeros(len(real), bool)
    inside = 0
    for rows, squares in _squared_distances(fake, real):
        near_real.append((squares <= real_narrow).any(axis=1))
        within = squares <= real_wide
        inside += int(np.count_nonzero(within))
        covered |= within.any(axis=0)
        near_fake.append((squares <= fake_narrow[rows, None]).any(axis=0))
    return Neighborhood(
        precision=float(np.concatenate(near_real).mean()),
        recall=float(np.any(near_fake, axis=0).mean()),
        density=inside / (density_k * len(fake)),
        coverage=float(covered.mean()),
    )


def _centred(real: np.ndarray, fake: np.ndarray, *, smallest: int) -> tuple[np.ndarray, np.ndarray]:
    """Moves both sets to the real mean, where squares of distances lose least to rounding."""
    if min(len(real), len(fake)) < smallest or real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"Expected two sets of {smallest} samples or more and of one dimension. "
            f"Received: real.shape={real.shape}, fake.shape={fake.shape}"
        )
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    centre = real.mean(axis=0)
    return real - centre, fake - centre


def _squared_radii(features: np.ndarray, ks: tuple[int, ...]) -> np.ndarray:
    """Returns each sample's squared distance to its k-th neighbours, shape (len(ks), count)."""
    radii = np.empty((len(ks), len(features)))
    for rows, squares in _squared_distances(features, features):
        # The sample itself is the nearest, at position 0.
        squares[np.arange(len(squares)), np.arange(rows.start, rows.stop)] = -1.0
        squares.partition(ks, axis=1)
        radii[:, rows] = squares[:, list(ks)].T
    return radii


def _squared_distances(rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields blocks of squared distances, each (block, len(columns)), with the rows they are of."""
    column_squares = np.einsum("ij,ij->i", columns, columns)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        squares = block @ columns.T
        squares *= -2
        squares += np.einsum("ij,ij->i", block, block)[:, None]
        squares += column_squares
        yield slice(start, start + len(block)), np.maximum(squares, 0.0, out=squares)
