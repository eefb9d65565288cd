"""Two branches of a classifier, either of which can give evidence for a fake."""

from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="dcgan")
class JoinedEvidence(keras.layers.Layer):
    """Joins two logits into one that rises with either, so that neither takes the other's away.

    Each logit is measured in deviations from the mean of reals. The result is the logarithm of the
    weighted sum of both exponentials: about the larger one. Before `standardise`, the logits count as
    they are.

    Reference:
        only evidence for fakes counts: [Rajan and Lee, 2025](https://arxiv.org/abs/2502.07778)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.means = self.add_weight(name="means", shape=(2,), initializer="zeros", trainable=False)
        self.deviations = self.add_weight(
            name="deviations", shape=(2,), initializer="ones", trainable=False
        )
        self.factors = self.add_weight(name="factors", shape=(2,), initializer="ones", trainable=False)

    def standardise(self, logits: np.ndarray, factors: tuple[float, float] = (1.0, 1.0)) -> None:
        """Sets what the logits are measured by, and how much they count.

        Args:
            logits: Both logits of reals, shape (count, 2), float.
            factors: Of the exponentials, positive. Defaults to ones.
        """
        self.means.assign(logits.mean(axis=0))
        self.deviations.assign(np.maximum(logits.std(axis=0), 1e-6))
        self.factors.assign(factors)

    def call(self, first: Any, second: Any) -> Any:
        """Joins logits of shape (batch, 1), float, to the same shape."""
        logits = keras.ops.concatenate([first, second], axis=-1)
        scores = (logits - self.means) / self.deviations
        larger = keras.ops.max(scores, axis=-1, keepdims=True)
        # Written out, for other runtimes have no operation for all of it.
        parts = self.factors * keras.ops.exp(scores - larger)
        return larger + keras.ops.log(keras.ops.sum(parts, -1, keepdims=True))

    def compute_output_shape(
        self, first_shape: tuple[int | None, ...], second_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Returns (batch, 1)."""
        return first_shape
