"""Keras models as feature extractors."""

import hashlib

import keras
import numpy as np
import tensorflow as tf

from dcgan import images as pixels
from dcgan.features.feature_extractor import FeatureExtractor
from dcgan.metrics.embedding import Embedding


class KerasExtractor:
    """Embeds images with a Keras model.

    If the model ends in a softmax (a layer of its own, or a dense layer's activation), the features are
    the input of its last dense layer, and the output is class probabilities. The features of any other
    model are its output, flattened.

    Args:
        model: A functional or sequential model of one input, which takes float32 images in
            [-1, 1], shape (batch, height, width, channels).

    Raises:
        ValueError: If it is not such a model.
    """

    def __init__(self, model: keras.Model) -> None:
        if len(getattr(model, "inputs", None) or ()) != 1 or len(model.inputs[0].shape) != 4:
            raise ValueError(
                "Expected a functional or sequential Keras model with one input of shape "
                f"(batch, height, width, channels). Received: {model.name}"
            )
        self.model = model
        features = _penultimate(model.outputs[0])
        outputs = [model.outputs[0]] if features is None else [features, model.outputs[0]]
        inner = keras.Model(model.inputs, outputs)
        self._run = tf.function(
            lambda images: tf.nest.flatten(inner(images, training=False)),
            input_signature=[tf.TensorSpec(model.inputs[0].shape, tf.float32)],
        )

    def __call__(self, images: np.ndarray) -> Embedding:
        """Embeds uint8 images."""
        features, *probabilities = self._run(pixels.to_float(images))
        flat = features.numpy().reshape(len(images), -1)
        return Embedding(flat, probabilities[0].numpy() if probabilities else None)

    def digest(self) -> str:
        """Returns a digest of the layers and weights, the same after saving and loading."""
        digest = hashlib.sha256()
        for layer in self.model.layers:
            digest.update(type(layer).__name__.encode())
        for weights in self.model.get_weights():
            digest.update(f"{weights.dtype}{weights.shape}".encode())
            digest.update(np.ascontiguousarray(weights).tobytes())
        return digest.hexdigest()


def extractor_from_model(
    model: keras.Model, *, name: str, trained_on: str = "", accuracy: float | None = None
) -> FeatureExtractor:
    """Makes a feature extractor of a Keras model.

    Args:
        model: As for `KerasExtractor`.
        name: What the extractor is called in reports.
        trained_on: The data and split that the model learned from. Defaults to "", unknown.
        accuracy: Accuracy on an unseen split, if measured. Defaults to None.

    Returns:
        The extractor.

    Raises:
        ValueError: If it is not such a model.
    """
    extract = KerasExtractor(model)
    sides = tuple(model.inputs[0].shape[1:])
    return FeatureExtractor(
        name=name,
        extract=extract,
        image_shape=None if None in sides else sides,
        trained_on=trained_on,
        digest=extract.digest(),
        accuracy=accuracy,
    )


def _penultimate(output: keras.KerasTensor) -> keras.KerasTensor | None:
    """Returns the input of the dense layer under a final softmax, None if there is no such."""
    last, before = _origin(output)
    if isinstance(last, keras.layers.Dense):
        return before if last.activation is keras.activations.softmax else None
    softmax = isinstance(last, keras.layers.Softmax) or (
        isinstance(last, keras.layers.Activation) and last.activation is keras.activations.softmax
    )
    dense, features = _origin(before) if softmax else (None, None)
    return features if isinstance(dense, keras.layers.Dense) else None


def _origin(tensor: keras.KerasTensor) -> tuple[keras.Operation, keras.KerasTensor]:
    """Returns the layer that a tensor comes out of and what goes into it at that place.

    A layer's own `input` is that of its first use, which may be in another model.
    """
    layer, node, _ = tensor._keras_history
    before = layer._inbound_nodes[node].input_tensors
    return layer, before[0] if before else tensor
