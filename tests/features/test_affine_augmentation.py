import numpy as np
import pytest
import tensorflow as tf

from dcgan.features import affine_augmentation

SIZE = 29


def _vary(images, seed=0):
    return affine_augmentation.vary(tf.constant(images), seed=tf.constant([3, seed], tf.int64)).numpy()


def _centres(images):
    """Centre of brightness of each image, (row, column) from the middle, in pixels."""
    weights = images[..., 0] / images[..., 0].sum(axis=(1, 2), keepdims=True)
    axis = np.arange(SIZE) - (SIZE - 1) / 2
    return np.stack([weights.sum(axis=2) @ axis, weights.sum(axis=1) @ axis], axis=1)


def _dot(row, column):
    images = np.zeros((400, SIZE, SIZE, 1), np.float32)
    images[:, row - 1 : row + 2, column - 1 : column + 2] = 1
    return images


def test_keeps_shape_type_and_range():
    images = np.random.default_rng(0).uniform(-1, 1, (5, 28, 36, 3)).astype(np.float32)
    found = _vary(images)
    assert found.shape == images.shape
    assert found.dtype == np.float32
    assert found.min() >= -1
    assert found.max() <= 1
    assert not np.allclose(found, images)


def test_the_middle_moves_by_the_shift_alone():
    offsets = _centres(_vary(_dot(14, 14)))
    most = 0.07 * SIZE / 0.8
    assert np.abs(offsets).max() < most
    assert np.abs(offsets).max() > 0.07 * SIZE / 2
    np.testing.assert_allclose(offsets.mean(axis=0), 0, atol=0.2)


@pytest.mark.parametrize(("row", "column"), [(5, 14), (14, 5), (23, 14), (14, 23)])
def test_never_flips(row, column):
    centres = _centres(_vary(_dot(row, column)))
    start = np.array([row, column]) - 14
    assert (centres @ start > 0).all()


def test_beyond_the_border_the_border_is_repeated():
    images = np.full((50, SIZE, SIZE, 1), 0.25, np.float32)
    np.testing.assert_allclose(_vary(images), 0.25, rtol=1e-6)


def test_variations_come_from_the_seed():
    images = np.random.default_rng(0).uniform(-1, 1, (4, 28, 28, 1)).astype(np.float32)
    np.testing.assert_array_equal(_vary(images, seed=1), _vary(images, seed=1))
    assert not np.array_equal(_vary(images, seed=1), _vary(images, seed=2))
