import numpy as np
import pytest
import tensorflow as tf

from dcgan.model import global_batch


@pytest.fixture
def two_replicas(monkeypatch):
    monkeypatch.setattr(global_batch, "_replicas", lambda: 2)


def test_an_empty_batch_becomes_one_image_that_counts_for_nothing(two_replicas):
    images, weights = global_batch.fill_empty(tf.zeros((0, 8, 8, 1)))
    assert images.shape == (1, 8, 8, 1)
    np.testing.assert_array_equal(weights, [0.0])


def test_another_batch_stays_as_it_is(two_replicas, make_images):
    images, weights = global_batch.fill_empty(tf.constant(make_images(3)))
    np.testing.assert_array_equal(images, make_images(3))
    np.testing.assert_array_equal(weights, np.ones(3))


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3, 2)])
def test_one_replica_has_the_mean(shape):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    share = global_batch.share_of_mean(tf.constant(values), tf.ones(4))
    assert float(share) == pytest.approx(values.mean(), rel=1e-5)


def test_a_scalar_counts_for_every_image():
    assert float(global_batch.share_of_mean(tf.constant(2.5), tf.ones(3))) == 2.5
    np.testing.assert_array_equal(global_batch.per_image(tf.constant(2.5), tf.ones(3)), [2.5] * 3)


def test_shares_of_unequal_replicas_add_up_to_the_mean(monkeypatch):
    """Three replicas with three, one and no images."""
    monkeypatch.setattr(global_batch, "sum_over_replicas", lambda count: 4.0)
    values = np.random.default_rng(0).normal(size=4).astype(np.float32)
    replicas = [(values[:3], tf.ones(3)), (values[3:], tf.ones(1)), (np.full(1, 9.0), tf.zeros(1))]
    shares = [float(global_batch.share_of_mean(tf.constant(v), w)) for v, w in replicas]
    assert sum(shares) == pytest.approx(values.mean(), rel=1e-5)
    assert shares[-1] == 0
