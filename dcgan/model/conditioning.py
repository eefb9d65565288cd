"""What makes a GAN class-conditional: labels for both networks.

Reference:
    - projection: [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637)
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcgan import layers
from dcgan.errors import InputError
from dcgan.model import drawing, network_checks


def with_projection(discriminator: keras.Model, classes: int) -> keras.Model:
    """Makes a discriminator look at labels as well; both models share their layers.

    Args:
        discriminator: From images to (batch, 1) logits.
        classes: How many classes there are.

    Returns:
        A model from images and labels, shape (batch,), int32, to (batch, 1) logits: those of the
        discriminator, and the projection on what its last layer gets.

    Raises:
        InputError: If the last layer is no layer of the discriminator's own, such as a whole model.
    """
    last = network_checks.last_operation(discriminator)
    if not isinstance(last, keras.layers.Layer) or isinstance(last, keras.Model):
        raise InputError(
            "discriminator: expected a dense layer as the last one, whose input classes are projected "
            f"on. Received: {last.name}"
        )
    labels = keras.Input((), dtype="int32", name="labels")
    project = layers.ClassProjection(classes, dtype="float32", name="class_projection")
    logits = project(last.input, discriminator.outputs[0], labels)
    return keras.Model([*discriminator.inputs, labels], logits, name="conditional_discriminator")


def join(inputs: tf.Tensor, labels: tf.Tensor | None) -> Any:
    """Returns a network's inputs: latents or images with labels, or alone where there are none."""
    return inputs if labels is None else [inputs, labels]


def as_labels(labels: Any, classes: int) -> tf.Tensor:
    """Checks the labels of a batch, their range included.

    Args:
        labels: Shape (batch,) or (batch, 1), integers from 0 to classes - 1.
        classes: How many classes there are.

    Returns:
        Shape (batch,), int32.

    Raises:
        InputError: If there are no such labels; within a graph, a number out of range is an
            `InvalidArgumentError` when it comes.
    """
    if not isinstance(labels, (tf.Tensor, np.ndarray)):
        raise _error(classes, "images alone" if labels is None else type(labels).__name__)
    labels = tf.convert_to_tensor(labels)
    if not labels.dtype.is_integer or not _is_column(labels.shape):
        raise _error(classes, f"{labels.dtype.name} of shape {tuple(labels.shape)}")
    # Keras forgets the rank once a model has seen both.
    labels = tf.reshape(labels, [-1])
    in_range = tf.reduce_all((labels >= 0) & (labels < tf.cast(classes, labels.dtype)))
    if tf.executing_eagerly():
        if not in_range:
            raise _error(classes, f"{int(tf.reduce_min(labels))} to {int(tf.reduce_max(labels))}")
        return tf.cast(labels, tf.int32)
    refusal = tf.debugging.Assert(in_range, [str(_error(classes, "")), labels])
    with tf.control_dependencies([refusal] if refusal is not None else []):
        return tf.cast(labels, tf.int32)


def _is_column(shape: tf.TensorShape) -> bool:
    return shape.rank in (None, 1) or (shape.rank == 2 and shape[1] in (None, 1))


def _error(classes: int, received: str) -> InputError:
    return InputError(
        f"labels: expected a whole number from 0 to {classes - 1} for each image, shape (batch,), as "
        f"dcgan.load_dataset(..., labels=True) gives them. Received: {received}"
    )


def count(labels: tf.Tensor, weights: tf.Tensor, classes: int) -> tf.Tensor:
    """Counts the images of each class in a batch.

    Args:
        labels: Shape (batch,), int32.
        weights: 1 for an image that counts, else 0; shape (batch,).
        classes: How many classes there are.

    Returns:
        Shape (classes,), int64.
    """
    counted = tf.one_hot(labels, classes, dtype=tf.int64) * tf.cast(weights, tf.int64)[:, None]
    return tf.reduce_sum(counted, axis=0)


def labels_for(count: int, labels: Any, *, class_counts: np.ndarray, seed: int) -> np.ndarray:
    """Draws labels, or checks given ones.

    Args:
        count: How many.
        labels: Whole numbers from 0 to classes - 1: one for all, or one for each; None to draw them in
            proportion to `class_counts`.
        class_counts: How many images of each class there are, shape (classes,); all 0 for equal shares.
        seed: Seed of the draw.

    Returns:
        Shape (count,), int32.

    Raises:
        InputError: If they are others, or not as many.
    """
    if labels is None:
        return _draw(count, class_counts, seed)
    try:
        given = np.asarray(labels)
    except ValueError:
        given = np.empty(0, object)
    if given.dtype.kind not in "iu" or given.shape not in ((), (count,)):
        raise InputError(f"labels: expected a whole number, or {count} of them. Received: {labels!r}")
    if given.min() < 0 or given.max() >= len(class_counts):
        raise InputError(
            f"labels: expected whole numbers from 0 to {len(class_counts) - 1}. Received: {labels!r}"
        )
    return np.broadcast_to(given, count).astype(np.int32)


def _draw(count: int, class_counts: np.ndarray, seed: int) -> np.ndarray:
    counts = np.asarray(class_counts, np.float64)
    shares = counts if counts.any() else np.ones_like(counts)
    uniform = tf.random.stateless_uniform((count,), [drawing.check_whole("seed", seed), 1]).numpy()
    bounds = np.cumsum(shares) / np.sum(shares)
    # The last bound may lie below 1 by rounding.
    drawn = np.searchsorted(bounds, uniform, side="right")
    return np.minimum(drawn, np.flatnonzero(shares)[-1]).astype(np.int32)
