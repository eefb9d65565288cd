"""Batches of images as `fit` gets them: what is taken, and a line about what is not."""

import logging
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from dcgan.errors import InputError

# Resampling overshoots at edges; what lies beyond is on another scale.
_LIMIT = 1.25


class Batch(NamedTuple):
    """A batch's parts.

    Attributes:
        images: Shape (batch, height, width, channels), float32.
        labels: As given; None if there are none.
        weights: The images' weights, as given; None if there are none.
    """

    images: tf.Tensor
    labels: Any
    weights: Any


def unpack(data: Any, image_shape: tuple[int, ...]) -> Batch:
    """Takes apart what a Keras step gets.

    Args:
        data: Images alone, or a tuple of images, labels and weights, the last ones optional.
        image_shape: The (height, width, channels) expected.

    Raises:
        InputError: If there are no such images.
    """
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    return Batch(as_images(images, image_shape), labels, weights)


def as_images(images: Any, image_shape: tuple[int, ...]) -> tf.Tensor:
    """Casts images to float32, and adds the axis of channels to grey ones that lack it.

    Args:
        images: Shape (batch, height, width, channels), any float; (batch, height, width) as well where
            one channel is expected.
        image_shape: The (height, width, channels) expected.

    Returns:
        Shape (batch, height, width, channels), float32.

    Raises:
        InputError: If `images` is no array, not of floats, or of another shape.
    """
    if isinstance(images, dict):
        raise _error(image_shape, f"a dictionary of {', '.join(map(str, images))}")
    if not isinstance(images, (tf.Tensor, np.ndarray)):
        raise _error(image_shape, type(images).__name__)
    images = tf.convert_to_tensor(images)
    if not images.dtype.is_floating:
        raise _error(image_shape, images.dtype.name)
    images = tf.cast(images, tf.float32)
    if image_shape[-1] == 1:
        images = _with_channels(images)
    if not images.shape.is_compatible_with((None, *image_shape)):
        raise _error(image_shape, f"shape {tuple(images.shape)}")
    return tf.ensure_shape(images, (None, *image_shape))


def _with_channels(images: tf.Tensor) -> tf.Tensor:
    if images.shape.rank is None:
        # Keras forgets the rank once a model has seen both.
        return tf.cond(tf.rank(images) == 3, lambda: images[..., None], lambda: images)
    return images[..., None] if images.shape.rank == 3 else images


def check_range(images: tf.Tensor, *, training: bool) -> None:
    """Looks whether images are in -1 to 1.

    Args:
        images: Shape (batch, height, width, channels), float32.
        training: Whether to warn of images from 0 to 1 as well, which train at half their contrast.

    Raises:
        InputError: If a value is far beyond -1 to 1, or not a number.
    """
    if not tf.size(images):
        return
    low, high = float(tf.reduce_min(images)), float(tf.reduce_max(images))
    if not max(-low, high) <= _LIMIT:
        raise _error(tuple(images.shape[1:]), f"values from {low:g} to {high:g}")
    if training and low >= 0:
        logging.getLogger("dcgan").warning(
            "images: the first batch lies between %g and %g. If all images do, scale them to [-1, 1], "
            "as dcgan.load_dataset does.",
            low,
            high,
        )


def _error(image_shape: tuple[int, ...], received: Any) -> InputError:
    shape = ", ".join(map(str, ("batch", *image_shape)))
    return InputError(
        f"images: expected float images in [-1, 1] of shape ({shape}), as dcgan.load_dataset gives "
        f"them. Received: {received}"
    )
