"""Frechet distance between two normal distributions fitted to features."""

import numpy as np

from dcgan.metrics.moments import Moments


def frechet_distance(first: Moments, second: Moments) -> float:
    r"""Returns the squared Frechet distance of two sets of features; the FID if they are Inception's.

    .. math:: |\mu_1 - \mu_2|^2 + \mathrm{tr}(C_1 + C_2) - 2\,\mathrm{tr}\,(C_1 C_2)^{1/2}

    The last trace is the nuclear norm of :math:`C_1^{1/2} C_2^{1/2}`, with both roots taken from
    an eigendecomposition. That needs no root of an unsymmetric matrix and is exact for singular
    covariances, too. The estimate is biased upwards by an amount that shrinks with the number of
    samples: compare only values of equal counts.

    Args:
        first: Moments of one set, two samples or more.
        second: Moments of the other, of the same dimension.

    Returns:
        The distance, 0 or more; 0 for equal moments. Lower is better.

    Raises:
        ValueError: If the dimensions differ or a set has fewer than two samples.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> real, fake = rng.normal(size=(1000, 4)), rng.normal(1, size=(1000, 4))
        >>> round(frechet_distance(Moments.of(real), Moments.of(fake)), 1)
        4.3

    Reference:
        Heusel et al. (2017), GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
        Equilibrium; Dowson and Landau (1982), The Frechet Distance between Multivariate Normal
        Distributions.
    """
    if first.dim != second.dim:
        raise ValueError(f"Expected moments of one dimension. Received: {first.dim} and {second.dim}")
    gap = first.mean - second.mean
    spread = np.trace(first.covariance) + np.trace(second.covariance)
    overlap = np.linalg.norm(_root(first.covariance) @ _root(second.covariance), "nuc")
    return max(0.0, float(gap @ gap + spread - 2 * overlap))


def _root(covariance: np.ndarray) -> np.ndarray:
    """Returns the symmetric root of a positive semi-definite matrix.

    Eigenvalues below rounding error count as zero: their roots would be noise of the order 1e-8.
    """
    values, vectors = np.linalg.eigh(covariance)
    rounding = len(values) * np.finfo(np.float64).eps * max(values[-1], 0.0)
    values = np.where(values > rounding, values, 0.0)
    return (vectors * np.sqrt(values)) @ vectors.T
