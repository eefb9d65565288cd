"""What a feature extractor makes of images."""

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Embedding:
    """Features of a set of images and, where the extractor knows classes, their probabilities.

    Attributes:
        features: Shape (count, dim), float64.
        probabilities: Shape (count, classes), float64, rows sum to 1; None where the extractor
            knows no classes.

    Example:
        >>> embedding = Embedding(np.zeros((3, 64)), probabilities=np.eye(3))
        >>> embedding.take(np.array([0, 2])).count
        2
    """

    features: np.ndarray
    probabilities: np.ndarray | None = None

    @classmethod
    def concatenate(cls, parts: Sequence["Embedding"]) -> "Embedding":
        """Joins embeddings of one extractor, at least one, in their order."""
        known = [part.probabilities for part in parts if part.probabilities is not None]
        features = np.concatenate([part.features for part in parts])
        return cls(features, np.concatenate(known) if known else None)

    @property
    def count(self) -> int:
        """How many images were embedded."""
        return len(self.features)

    def take(self, rows: np.ndarray) -> "Embedding":
        """Keeps some rows: numbers of shape (kept,), int, or a mask of shape (count,)."""
        probabilities = None if self.probabilities is None else self.probabilities[rows]
        return Embedding(self.features[rows], probabilities)

    def sample(self, count: int, *, seed: int) -> "Embedding":
        """Draws `count` rows without replacement, or all if there are no more, in their order."""
        if count >= self.count:
            return self
        rows = np.random.default_rng(seed).choice(self.count, count, replace=False)
        return self.take(np.sort(rows))
