"""Mean and covariance of any number of features, a batch at a time."""

import numpy as np


class Moments:
    """Streaming mean and covariance in float64.

    Memory holds one vector and one matrix, whatever the count. Deviations are taken from the mean of
    their own batch and then combined, so that a mean far from zero costs no precision.

    Args:
        dim: Dimension of the features.

    Example:
        >>> moments = Moments(64)
        >>> for batch in np.random.default_rng(0).normal(size=(4, 50, 64)):
        ...     moments.update(batch)
        >>> moments.count, moments.covariance.shape
        (200, (64, 64))

    Reference:
        Chan, Golub and LeVeque (1983), Algorithms for Computing the Sample Variance.
    """

    def __init__(self, dim: int) -> None:
        self.count = 0
        self.mean = np.zeros(dim)
        self.scatter = np.zeros((dim, dim))

    @classmethod
    def of(cls, features: np.ndarray) -> "Moments":
        """Returns the moments of one array of features, shape (count, dim)."""
        moments = cls(np.shape(features)[-1])
        moments.update(features)
        return moments

    @property
    def dim(self) -> int:
        """Dimension of the features."""
        return len(self.mean)

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased sample covariance of two or more samples, shape (dim, dim), float64."""
        if self.count < 2:
            raise ValueError(f"Expected two samples or more. Received: count={self.count}")
        return self.scatter / (self.count - 1)

    def update(self, features: np.ndarray) -> None:
        """Adds a batch.

        Args:
            features: Shape (count, dim), any float type; a batch may be empty.

        Raises:
            ValueError: If the shape is another or a value is not finite.
        """
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or features.shape[1] != self.dim:
            raise ValueError(
                f"Expected features of shape (count, {self.dim}). Received: shape={features.shape}"
            )
        if not np.isfinite(features).all():
            raise ValueError("Expected finite features. Received: NaN or infinity among them")
        if len(features):
            mean = features.mean(axis=0)
            deviations = features - mean
            self._combine(len(features), mean, scatter=deviations.T @ deviations)

    def merge(self, other: "Moments") -> None:
        """Adds what another accumulator of the same dimension has seen."""
        if other.dim != self.dim:
            raise ValueError(f"Expected moments of dimension {self.dim}. Received: {other.dim}")
        if other.count:
            self._combine(other.count, other.mean, scatter=other.scatter)

    def _combine(self, count: int, mean: np.ndarray, *, scatter: np.ndarray) -> None:
        total = self.count + count
        gap = mean - self.mean
        self.scatter = self.scatter + scatter + np.outer(gap, gap) * (self.count * count / total)
        self.mean = self.mean + gap * (count / total)
        self.count = total
