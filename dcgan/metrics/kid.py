"""KID: the maximum mean discrepancy of two sets of features."""

import numpy as np


def kernel_inception_distance(
    real: np.ndarray,
    fake: np.ndarray,
    *,
    subset_size: int = 1000,
    subsets: int = 50,
    seed: int = 0,
) -> tuple[float, float]:
    """Returns the mean and spread of the KID over random subsets.

    Each subset gives the unbiased estimate of the squared maximum mean discrepancy with the
    kernel ``(x @ y / dim + 1) ** 3``. Unlike the Frechet distance it does not depend on the number
    of samples, and may come out slightly below zero for equal distributions.

    Args:
        real: Shape (count, dim), float.
        fake: Shape (count, dim), float.
        subset_size: Samples drawn without replacement from each set. Defaults to 1000, and to the
            smaller set where that has fewer.
        subsets: How many pairs of subsets. Defaults to 50, and to 1 where a subset holds all samples.
        seed: Seed of the draws. Defaults to 0.

    Returns:
        The mean over subsets (lower is better) and the standard deviation among them, 0 of one subset.

    Raises:
        ValueError: If the dimensions differ, or a set has fewer than two samples.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> real, fake = rng.normal(size=(1000, 4)), rng.normal(1, size=(1000, 4))
        >>> mean, spread = kernel_inception_distance(real, fake, seed=1)
        >>> round(mean, 1)
        10.4

    Reference:
        Binkowski et al. (2018), Demystifying MMD GANs; Gretton et al. (2012), A Kernel Two-Sample
        Test, equation 3.
    """
    size = min(subset_size, len(real), len(fake))
    if size < 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(
            "Expected two sets of two samples or more and of one dimension. "
            f"Received: real.shape={real.shape}, fake.shape={fake.shape}"
        )
    if len(real) == len(fake) == size:
        subsets = 1  # Each would hold all samples.
    generator = np.random.default_rng(seed)
    estimates = []
    for _ in range(subsets):
        real_rows = generator.choice(len(real), size, replace=False)
        fake_rows = generator.choice(len(fake), size, replace=False)
        estimates.append(squared_discrepancy(real[real_rows], fake[fake_rows]))
    return float(np.mean(estimates)), float(np.std(estimates))


def squared_discrepancy(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the unbiased estimate of the squared maximum mean discrepancy, cubic kernel.

    Shapes (m, dim) and (n, dim), float, with m and n at least 2; 0 is expected of equal distributions.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return _mean_of_pairs(first) + _mean_of_pairs(second) - 2 * float(np.mean(_kernel(first, second)))


def _mean_of_pairs(features: np.ndarray) -> float:
    """Returns the kernel's mean over pairs of two different samples."""
    kernel = _kernel(features, features)
    count = len(features)
    return float((kernel.sum() - np.trace(kernel)) / (count * (count - 1)))


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    products = first @ second.T
    products /= first.shape[1]
    products += 1
    # Two products are many times faster than a power.
    return products * products * products
