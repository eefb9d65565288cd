import logging

import numpy as np
import pytest
import tensorflow as tf

from dcgan.errors import InputError
from dcgan.model import image_batches

SHAPE = (8, 8, 1)
EXPECTED = r"images: expected float images in \[-1, 1\] of shape \(batch, 8, 8, 1\), as dcgan.load_data"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_floats_are_cast(dtype):
    images = tf.fill((2, *SHAPE), tf.constant(0.5, dtype))
    np.testing.assert_array_equal(image_batches.as_images(images, SHAPE), np.full((2, *SHAPE), 0.5))
    assert image_batches.as_images(images, SHAPE).dtype == tf.float32


def test_grey_images_may_lack_the_axis_of_channels(make_images):
    images = make_images(3)
    np.testing.assert_array_equal(image_batches.as_images(images[..., 0], SHAPE), images)


@pytest.mark.parametrize(
    ("images", "received"),
    [
        (np.zeros((2, *SHAPE), np.uint8), "uint8"),
        (np.zeros((2, *SHAPE), np.int64), "int64"),
        (np.zeros((2, *SHAPE), bool), "bool"),
        (np.zeros((2, 9, 8, 1), np.float32), r"shape \(2, 9, 8, 1\)"),
        (np.zeros((2, 8, 8, 3), np.float32), r"shape \(2, 8, 8, 3\)"),
        (np.zeros(SHAPE, np.float32), r"shape \(8, 8, 1, 1\)"),
        (np.zeros((2, 64), np.float32), r"shape \(2, 64\)"),
        ({"image": np.zeros((2, *SHAPE)), "label": np.zeros(2)}, "a dictionary of image, label"),
        (([np.zeros((2, *SHAPE))],), "tuple"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_batch_of_images(images, received):
    with pytest.raises(InputError, match=f"{EXPECTED}.*Received: {received}"):
        image_batches.as_images(images, SHAPE)


def test_grey_images_are_not_taken_for_colour():
    with pytest.raises(InputError, match=r"Received: shape \(2, 8, 8\)"):
        image_batches.as_images(np.zeros((2, 8, 8), np.float32), (8, 8, 3))


@pytest.mark.parametrize(("low", "high"), [(0.0, 255.0), (-2.5, 1.0), (-1.0, np.nan), (np.nan, np.nan)])
def test_values_on_another_scale(low, high):
    images = np.linspace(low, high, 2 * 64, dtype=np.float32).reshape(2, *SHAPE)
    with pytest.raises(InputError, match=f"{EXPECTED}.*Received: values from"):
        image_batches.check_range(tf.constant(images), training=False)


def test_an_overshoot_of_resampling_passes(make_images, caplog):
    image_batches.check_range(tf.constant(1.2 * make_images()), training=True)
    image_batches.check_range(tf.zeros((0, *SHAPE)), training=True)
    assert not caplog.records


def test_images_from_0_to_1_are_warned_of_in_training(make_images, caplog):
    images = tf.constant(0.5 * make_images() + 0.5)
    with caplog.at_level(logging.WARNING, "dcgan"):
        image_batches.check_range(images, training=False)
        assert not caplog.records
        image_batches.check_range(images, training=True)
    (record,) = caplog.records
    assert "scale them to [-1, 1], as dcgan.load_dataset does" in record.getMessage()


def test_shapes_that_only_the_values_show():
    signature = [tf.TensorSpec(None, tf.float64)]
    cast = tf.function(lambda images: image_batches.as_images(images, SHAPE), signature)
    assert cast(np.zeros((2, *SHAPE))).shape == (2, *SHAPE)
    with pytest.raises(tf.errors.InvalidArgumentError):
        cast(np.zeros((2, 9, 9, 1)))
