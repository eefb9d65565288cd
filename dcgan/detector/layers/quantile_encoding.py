"""Numbers as a network can tell them apart: piecewise linear over quantiles, then embedded."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

# Share of a feature's range: narrower bins would make rounding count.
_NARROWEST = 1e-3


@keras.saving.register_keras_serializable(package="dcgan")
class QuantileEncoding(keras.layers.Layer):
    """Encodes each feature by how far it has come through each of its bins.

    The bins of a feature hold equal shares of the values it was adapted to. Below a bin its output is
    -1, above it 1, within it between the two. A layer on top can respond to any narrow range of a
    feature, such as digits that are exactly 20 pixels tall; on the features themselves it would have to
    learn large weights first.

    Args:
        bins: Bins of each feature. Defaults to 16.

    Reference:
        [Gorishniy et al., 2022](https://arxiv.org/abs/2203.05556), piecewise linear encoding
    """

    def __init__(self, bins: int = 16, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bins = bins

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes bins of equal width between -1 and 1."""
        features = int(input_shape[-1] or 0)
        self.edges = self.add_weight(
            name="edges", shape=(self.bins + 1, features), initializer="zeros", trainable=False
        )
        even = np.linspace(-1, 1, self.bins + 1)[:, np.newaxis]
        self.edges.assign(np.repeat(even, features, axis=1))
        super().build(input_shape)

    def adapt(self, values: np.ndarray) -> None:
        """Places the bins.

        Args:
            values: Shape (count, features), float32; some thousands, of the classes to be told apart.
        """
        self.edges.assign(np.quantile(values, np.linspace(0, 1, self.bins + 1), axis=0))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Encodes features.

        Args:
            inputs: Shape (batch, features), float.

        Returns:
            Shape (batch, bins, features), float, -1 to 1.
        """
        edges = tf.cast(self.edges, inputs.dtype)
        least = _NARROWEST * (edges[-1] - edges[0]) + 1e-6
        widths = tf.maximum(edges[1:] - edges[:-1], least)
        shares = (inputs[:, tf.newaxis] - edges[:-1]) / widths
        return 2 * tf.clip_by_value(shares, 0, 1) - 1

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "bins": self.bins}


@keras.saving.register_keras_serializable(package="dcgan")
class FeatureEmbedding(keras.layers.Layer):
    """Turns each feature's encoding into some numbers of its own, before features are combined.

    A dense layer with a ReLU for each feature. What a value means by itself, such as "neither 19 nor 21
    pixels tall", need not be found again by every unit of the layers above.

    Args:
        units: Outputs of each feature. Defaults to 8.
        seed: Seed of the initial weights. Defaults to 0.

    Reference:
        [Gorishniy et al., 2022](https://arxiv.org/abs/2203.05556), embeddings for numerical features
    """

    def __init__(self, units: int = 8, *, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.seed = seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights of each feature."""
        bins, features = (int(size or 0) for size in input_shape[1:])
        initializer = keras.initializers.RandomNormal(stddev=(2 / bins) ** 0.5, seed=self.seed)
        self.kernel = self.add_weight(
            name="kernel", shape=(features, bins, self.units), initializer=initializer
        )
        self.bias = self.add_weight(name="bias", shape=(features, self.units), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Embeds features.

        Args:
            inputs: Shape (batch, bins, features), float.

        Returns:
            Shape (batch, features * units), float, at least 0.
        """
        kernel, bias = (tf.cast(weight, inputs.dtype) for weight in (self.kernel, self.bias))
        embedded = tf.nn.relu(tf.einsum("bkf,fku->bfu", inputs, kernel) + bias)
        return tf.reshape(embedded, (-1, int(inputs.shape[-1]) * self.units))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "units": self.units, "seed": self.seed}
