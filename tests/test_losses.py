import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from dcgan import losses
from dcgan.config import SMOOTHABLE_LOSSES
from dcgan.errors import InputError

REAL = np.array([[-2.0], [-0.5], [0.0], [0.5], [3.0]], np.float32)
FAKE = np.array([[1.5], [-3.0], [0.25], [-1.0], [1.0]], np.float32)


def _cross_entropy(target, logits):
    """Keras's, an element at a time."""
    loss = keras.losses.BinaryCrossentropy(from_logits=True, reduction="none")
    return loss(np.full_like(logits, target)[..., None], logits[..., None])


def test_non_saturating_generator_is_keras_cross_entropy():
    ours = losses.non_saturating_generator_loss(REAL, FAKE)
    np.testing.assert_allclose(ours, _cross_entropy(1.0, FAKE), rtol=1e-6)
    np.testing.assert_allclose(ours, -scipy.special.log_expit(FAKE), rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5, 1.0])
def test_non_saturating_discriminator_is_keras_cross_entropy(smoothing):
    ours = losses.non_saturating_discriminator_loss(REAL, FAKE, smoothing)
    expected = _cross_entropy(1.0 - smoothing, REAL) + _cross_entropy(0.0, FAKE)
    np.testing.assert_allclose(ours, expected, rtol=1e-5)


def test_non_saturating_at_zero_is_ln_2():
    zero = tf.zeros((1, 1))
    np.testing.assert_allclose(losses.non_saturating_generator_loss(zero, zero), [[np.log(2)]])
    np.testing.assert_allclose(losses.non_saturating_discriminator_loss(zero, zero), [[2 * np.log(2)]])


def test_large_logits_do_not_overflow():
    extreme = tf.constant([[-1e4], [1e4]])
    np.testing.assert_array_equal(losses.non_saturating_generator_loss(-extreme, extreme), [[1e4], [0]])
    np.testing.assert_array_equal(
        losses.non_saturating_discriminator_loss(extreme, -extreme), [[2e4], [0]]
    )
    with tf.GradientTape() as tape:
        tape.watch(extreme)
        loss = losses.non_saturating_generator_loss(-extreme, extreme)
    np.testing.assert_array_equal(tape.gradient(loss, extreme), [[-1], [0]])


def test_least_squares_by_hand():
    np.testing.assert_allclose(
        losses.least_squares_generator_loss(REAL[:4], [[-1.0], [0.0], [1.0], [3.0]]),
        [[2], [0.5], [0], [2]],
    )
    real, fake = [[1.0], [0.0], [3.0]], [[0.0], [2.0], [-1.0]]
    np.testing.assert_allclose(losses.least_squares_discriminator_loss(real, fake), [[0], [2.5], [2.5]])
    np.testing.assert_allclose(losses.least_squares_discriminator_loss([[0.5]], [[0.0]], 0.5), [[0.0]])


def test_hinge_by_hand():
    real, fake = [[2.0], [1.0], [0.0], [-1.0]], [[-2.0], [-1.0], [0.0], [1.0]]
    np.testing.assert_array_equal(losses.hinge_discriminator_loss(real, fake), [[0], [0], [2], [4]])
    np.testing.assert_array_equal(losses.get("hinge").generator(REAL[:2], [[2.0], [-3.0]]), [[-2], [3]])


def test_wasserstein_by_hand():
    np.testing.assert_array_equal(
        losses.wasserstein_discriminator_loss([[2.0], [-1.0]], [[0.5], [3.0]]), [[-1.5], [4]]
    )
    np.testing.assert_array_equal(
        losses.wasserstein_generator_loss(REAL[:2], [[2.0], [-3.0]]), [[-2], [3]]
    )


def test_relativistic_by_hand():
    real, fake = [[2.0], [0.0], [-1.0]], [[2.0], [-3.0], [1.0]]
    pair = losses.get("relativistic")
    pull = 1e-3 * np.square([[2.0], [-1.5], [0.0]])
    np.testing.assert_allclose(
        pair.discriminator(real, fake), np.log1p(np.exp([[0.0], [-3.0], [2.0]])) + pull, rtol=1e-6
    )
    np.testing.assert_allclose(
        pair.generator(real, fake), np.log1p(np.exp([[0.0], [3.0], [-2.0]])), rtol=1e-6
    )
    shifted = np.add(real, 5.0), np.add(fake, 5.0)
    np.testing.assert_allclose(pair.generator(*shifted), pair.generator(real, fake), rtol=1e-6)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_the_two_networks_pull_apart(name):
    """A higher fake logit is better for the generator and worse for the discriminator."""
    pair, fake, real = losses.get(name), tf.constant([[0.3]]), tf.constant([[-0.2]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([fake, real])
        generator, discriminator = pair.generator(real, fake), pair.discriminator(real, fake)
    assert tape.gradient(generator, fake).numpy().item() < 0
    assert tape.gradient(discriminator, fake).numpy().item() > 0
    assert tape.gradient(discriminator, real).numpy().item() < 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", losses.LOSSES)
def test_low_precision_logits_give_float32(name, dtype):
    pair = losses.get(name)
    real, fake = tf.cast(REAL, dtype), tf.cast(FAKE, dtype)
    for low, full in (
        (pair.generator(real, fake), pair.generator(REAL, FAKE)),
        (pair.discriminator(real, fake), pair.discriminator(REAL, FAKE)),
    ):
        assert low.dtype == tf.float32
        # These logits are exact in both low precisions, so only float32's own rounding is left.
        np.testing.assert_allclose(low, full, rtol=1e-6)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_smoothable_losses_take_it_and_the_others_do_not(name):
    pair = losses.get(name)
    if name in SMOOTHABLE_LOSSES:
        assert pair.discriminator(REAL, FAKE, 0.1).shape == REAL.shape
    else:
        with pytest.raises(TypeError):
            pair.discriminator(REAL, FAKE, 0.1)


def test_unknown_loss():
    with pytest.raises(InputError, match=r"loss: expected one of non_saturating.*'l1'"):
        losses.get("l1")


def _linear_critic(weights):
    return lambda images: tf.reduce_sum(images * weights, axis=[1, 2, 3])[:, None]


def _quadratic_critic(images):
    return 0.5 * tf.reduce_sum(tf.square(images), axis=[1, 2, 3])[:, None]


@pytest.mark.parametrize("target", [0.0, 1.0, 2.5])
def test_penalty_of_a_linear_critic(make_images, target):
    weights = make_images(1, seed=1)[0]
    penalty = losses.gradient_penalty(
        _linear_critic(weights), tf.constant(make_images(3)), target=target
    )
    expected = (np.linalg.norm(weights) - target) ** 2
    np.testing.assert_allclose(penalty, [expected] * 3, rtol=1e-5)
    assert penalty.dtype == tf.float32


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_penalty_of_a_quadratic_critic_is_the_images_norm(make_images, target):
    """Each image has a penalty of its own: the gradient is the image itself."""
    images = make_images(4) * np.arange(1, 5, dtype=np.float32).reshape(4, 1, 1, 1)
    penalty = losses.gradient_penalty(_quadratic_critic, tf.constant(images), target=target)
    expected = (np.linalg.norm(images.reshape(4, -1), axis=1) - target) ** 2
    np.testing.assert_allclose(penalty, expected, rtol=1e-5)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_penalty_reaches_the_critics_weights(target):
    """d/dw (|w| - t)^2 = 2 (|w| - t) w / |w|."""
    weights = tf.Variable(np.full((2, 2, 1), 1.5, np.float32))
    with tf.GradientTape() as tape:
        penalty = losses.gradient_penalty(_linear_critic(weights), tf.zeros((1, 2, 2, 1)), target=target)
    expected = 2 * (3 - target) * np.full((2, 2, 1), 1.5 / 3)
    np.testing.assert_allclose(tape.gradient(penalty, weights), expected, rtol=1e-5)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_penalty_has_a_finite_gradient_at_norm_zero(target):
    weights = tf.Variable(tf.zeros((2, 2, 1)))
    with tf.GradientTape() as tape:
        penalty = losses.gradient_penalty(_linear_critic(weights), tf.zeros((1, 2, 2, 1)), target=target)
    np.testing.assert_allclose(penalty, [target**2], atol=1e-5)
    assert np.isfinite(tape.gradient(penalty, weights)).all()
