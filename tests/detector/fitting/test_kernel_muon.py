import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan.detector.fitting.classifier_training import KernelMuon


def _moved(shape, gradient, **options):
    """What a step of rate 1 from zero does to a variable."""
    variable = keras.Variable(np.zeros(shape, np.float32))
    KernelMuon(1.0, **options).apply([tf.constant(gradient, tf.float32)], [variable])
    return variable.numpy()


def _gradient(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_matrices_move_as_by_keras_own():
    gradient = tf.constant(_gradient(12, 5), tf.float32)
    moved = []
    for cls in (KernelMuon, keras.optimizers.Muon):
        variable = keras.Variable(np.ones((12, 5), np.float32))
        optimizer = cls(0.1, weight_decay=0.2)
        for _ in range(3):
            optimizer.apply([gradient], [variable])
        moved.append(variable.numpy())
    np.testing.assert_allclose(*moved, rtol=1e-5)


@pytest.mark.parametrize("shape", [(40, 6), (6, 40), (8, 8), (3, 3, 5, 7)])
def test_kernels_move_by_the_nearest_orthogonal_matrix(shape):
    gradient = _gradient(*shape)
    step = -_moved(shape, gradient).reshape(-1, shape[-1])
    step /= 0.2 * max(step.shape) ** 0.5
    left, _, right = np.linalg.svd(gradient.reshape(step.shape), full_matrices=False)
    sizes = np.linalg.svd(step, compute_uv=False)
    assert sizes.min() > 0.6
    assert sizes.max() < 1.3
    # The same singular vectors: in their basis it is diagonal.
    inside = left.T @ step @ right.T
    np.testing.assert_allclose(inside, np.diag(np.diag(inside)), atol=1e-4)


def test_size_of_a_gradient_does_not_matter():
    gradient = _gradient(9, 4)
    np.testing.assert_allclose(_moved((9, 4), gradient), _moved((9, 4), 1000 * gradient), atol=1e-3)


@pytest.mark.parametrize("shape", [(5,), (12, 1)])
def test_vectors_and_columns_move_as_adam_moves_them(shape):
    moved = _moved(shape, _gradient(*shape), adam_lr_ratio=0.25)
    np.testing.assert_allclose(moved, -0.25 * np.sign(_gradient(*shape)), atol=1e-3)


def test_momentum_carries_on_where_no_gradient_is():
    variable = keras.Variable(np.zeros((6, 3), np.float32))
    optimizer = KernelMuon(0.1, weight_decay=0.0)
    optimizer.apply([tf.constant(_gradient(6, 3), tf.float32)], [variable])
    before = variable.numpy()
    optimizer.apply([tf.zeros((6, 3))], [variable])
    np.testing.assert_allclose(variable.numpy() - before, before, rtol=1e-3, atol=1e-5)


def test_only_kernels_decay():
    kernel, offset = (keras.Variable(np.ones(shape, np.float32)) for shape in [(4, 3), (3,)])
    optimizer = KernelMuon(0.5, weight_decay=0.1, adam_weight_decay=None)
    optimizer.apply([tf.zeros((4, 3)), tf.zeros(3)], [kernel, offset])
    np.testing.assert_allclose(kernel.numpy(), 0.95, rtol=1e-6)
    np.testing.assert_allclose(offset.numpy(), 1.0)


def test_is_what_it_was_when_loaded():
    optimizer = KernelMuon(0.02, adam_lr_ratio=0.5, momentum=0.8, weight_decay=0.3, adam_beta_2=0.99)
    loaded = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert isinstance(loaded, KernelMuon)
    assert loaded.get_config() == optimizer.get_config()
