"""The optimizer that the detector learns by: Muon on its kernels, Adam on the rest."""

from typing import Any

import keras
import tensorflow as tf

# Of the quintic that brings all singular values near 1.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
# Adam's usual root mean square of an update, so that one learning rate serves both.
_SCALE = 0.2


@keras.saving.register_keras_serializable(package="dcgan")
class Muon(keras.optimizers.AdamW):
    """Moves each kernel by its averaged gradient with all singular values made equal.

    Kernels of convolutions count as matrices of height * width * inputs rows, which
    `keras.optimizers.Muon` leaves to Adam; of two kinds of directions, those that Adam all but ignores
    are learned as fast as the rest. Vectors, and matrices of one column, are Adam's, without weight
    decay.

    Args:
        learning_rate: Of the kernels; a number above 0 or a schedule.
        vector_rate: Adam's share of the learning rate. Defaults to 0.3.
        momentum: Of the average over gradients, 0 to below 1. Defaults to 0.95.
        weight_decay: Of the kernels, in units of the learning rate. Defaults to 0.1.
        **kwargs: Of `keras.optimizers.AdamW`.

    Reference:
        method: Jordan et al., 2024, "Muon: An optimizer for hidden layers in neural networks"
        scale and decay: Liu et al., 2025, https://arxiv.org/abs/2502.16982
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        *,
        vector_rate: float = 0.3,
        momentum: float = 0.95,
        weight_decay: float = 0.1,
        name: str = "muon",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, name=name, **kwargs)
        self.vector_rate = vector_rate
        self.momentum = momentum

    def build(self, variables: list[keras.Variable]) -> None:
        """Makes the averages of the variables."""
        if not self.built:
            self.exclude_from_weight_decay([each for each in variables if not _is_kernel(each)])
        super().build(variables)

    def update_step(self, gradient: tf.Tensor, variable: keras.Variable, learning_rate: Any) -> None:
        """Moves one variable."""
        if not _is_kernel(variable):
            super().update_step(gradient, variable, learning_rate * self.vector_rate)
            return
        average = self._momentums[self._get_variable_index(variable)]
        average.assign(self.momentum * average.value + gradient)
        ahead = tf.reshape(gradient + self.momentum * average.value, (-1, variable.shape[-1]))
        step = _SCALE * max(ahead.shape) ** 0.5 * _orthogonal(ahead)
        variable.assign_sub(learning_rate * tf.reshape(step, variable.shape))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        own = {"vector_rate": self.vector_rate, "momentum": self.momentum}
        return {**super().get_config(), **own}


def _is_kernel(variable: keras.Variable) -> bool:
    return len(variable.shape) > 1 and variable.shape[-1] > 1


def _orthogonal(matrix: tf.Tensor) -> tf.Tensor:
    """Brings all singular values to about 1, within 0.7 and 1.3, by Newton-Schulz iterations.

    Each iteration multiplies by a polynomial of the smaller Gram matrix; the polynomials are multiplied
    out first, so that long matrices are touched twice only.
    """
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix / (tf.norm(matrix) + 1e-7)
    a, b, c = _QUINTIC
    gram = tf.matmul(x, x, transpose_a=is_tall, transpose_b=not is_tall)
    identity = tf.eye(gram.shape[0])
    product = factor = a * identity + b * gram + c * tf.matmul(gram, gram)
    for _ in range(_ITERATIONS - 1):
        gram = tf.matmul(tf.matmul(factor, gram), factor)
        factor = a * identity + b * gram + c * tf.matmul(gram, gram)
        product = tf.matmul(product, factor)
    return tf.matmul(x, product) if is_tall else tf.matmul(product, x)
