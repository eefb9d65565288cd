import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers
from dcgan import losses
from dcgan.model import DCGAN


def test_r1_value_and_interval(make_gan, make_images):
    """A linear discriminator's gradient is its kernel: gamma / 2 * interval * |w|^2."""
    generator = make_gan().generator
    discriminator = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model = DCGAN(generator, discriminator).compile(r1_gamma=3.0, penalty_interval=4)
    squared_norm = np.square(discriminator.layers[-1].kernel).sum()
    penalty = tf.function(model.discriminator_penalty)
    reals, values = tf.constant(make_images()), []
    for step in range(9):
        model.step.assign(step)
        values.append(penalty(reals, reals))
    expected = np.where(np.arange(9) % 4 == 0, 0.5 * 3.0 * 4 * squared_norm, 0)
    np.testing.assert_allclose(values, np.repeat(expected[:, None], len(reals), axis=1), rtol=1e-5)


def test_r2_is_the_same_on_fakes(make_gan, make_images):
    model = make_gan().compile(r2_gamma=3.0, penalty_interval=4)
    reals, fakes = tf.constant(make_images(seed=1)), tf.constant(make_images(seed=2))
    model.step.assign(4)
    penalty = losses.gradient_penalty(model.discriminator, fakes)
    np.testing.assert_allclose(
        model.discriminator_penalty(reals, fakes), 0.5 * 3 * 4 * penalty, rtol=1e-5
    )
    model.compile(r1_gamma=1.0, r2_gamma=3.0, penalty_interval=4)
    both = 0.5 * 4 * losses.gradient_penalty(model.discriminator, reals) + 0.5 * 3 * 4 * penalty
    np.testing.assert_allclose(model.discriminator_penalty(reals, fakes), both, rtol=1e-5)


@pytest.mark.usefixtures("eager")
def test_r2_leaves_the_generator_alone(make_gan, make_images):
    plain = make_gan().compile(**helpers.sgd())
    with_r2 = make_gan().compile(**helpers.sgd(), r2_gamma=5.0, penalty_interval=16)
    for model in (plain, with_r2):
        helpers.fit(model, make_images(4))
    for a, b in zip(plain.generator.weights, with_r2.generator.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    assert not np.allclose(plain.discriminator.weights[0], with_r2.discriminator.weights[0], atol=1e-3)


def test_r1_is_computed_only_when_due(make_gan, make_images, monkeypatch):
    calls, compute = [], losses.gradient_penalty

    def counted(critic, images, **options):
        calls.append(images.numpy())
        return compute(critic, images, **options)

    monkeypatch.setattr(losses, "gradient_penalty", counted)
    images = make_images(36)
    model = make_gan().compile(**helpers.sgd(), r1_gamma=1.0, penalty_interval=4, run_eagerly=True)
    helpers.fit(model, images)
    assert len(calls) == 3
    # On reals, as they are.
    helpers.assert_same(calls, [images[4 * step : 4 * step + 4] for step in (0, 4, 8)])


@pytest.mark.usefixtures("eager")
def test_r1_reaches_the_discriminator_alone_and_not_the_logs(make_gan, make_images):
    plain = make_gan().compile(**helpers.sgd())
    with_r1 = make_gan().compile(**helpers.sgd(), r1_gamma=5.0, penalty_interval=16)
    logs = [helpers.fit(model, make_images(4)) for model in (plain, with_r1)]
    for name in helpers.LOGGED:
        np.testing.assert_allclose(logs[0][name], logs[1][name], rtol=1e-6)
    for a, b in zip(plain.generator.weights, with_r1.generator.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    kernels = plain.discriminator.weights[0], with_r1.discriminator.weights[0]
    # SGD's step is the rate times the gradient, whose R1 part has 16 times the weight.
    assert np.abs(kernels[0] - kernels[1]).max() > 0.01
