import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers
from dcgan.errors import InputError


@pytest.fixture(scope="module")
def trained(make_gan, make_images):
    """A model with a moving average after some training; tests must not change it."""
    model = make_gan(ema_decay=0.9, seed=5).compile(**helpers.sgd())
    history = helpers.fit(model, make_images(40), epochs=2)
    return model, history


# The moving average


def test_ema_is_the_ramped_recursion_of_weights_and_batch_statistics(make_gan, make_images):
    model = make_gan(ema_decay=0.5).compile(**helpers.sgd(0.5))
    averages = [w.numpy().astype(np.float64) for w in model.generator.weights]
    assert len(averages) == len(model.generator.trainable_weights) + 2

    def average(batch, logs):
        # The decay is (1 + step) / (10 + step) until that reaches 0.5, at step 8.
        decay = min(0.5, (1 + batch) / (10 + batch))
        for index, weight in enumerate(model.generator.weights):
            averages[index] = decay * averages[index] + (1 - decay) * weight.numpy()

    helpers.fit(
        model,
        make_images(48),
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=average)],
    )
    for ours, expected in zip(model.ema_generator.weights, averages, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_no_ema_by_default(make_gan):
    assert make_gan().ema_generator is None


def test_summary_names_the_moving_average(make_gan, capsys):
    make_gan(ema_decay=0.9).summary()
    assert "ema_generator (" in capsys.readouterr().out


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2.0])
def test_ema_decay_out_of_range(make_gan, decay):
    with pytest.raises(ValueError, match=f"ema_decay={decay}"):
        make_gan(ema_decay=decay)


# Drawing images


def test_generate_count_and_range(trained):
    model, _ = trained
    for count in (1, 2, 5):
        images = model.generate(count)
        assert images.shape == (count, 8, 8, 1)
        assert images.dtype == np.float32
        assert np.abs(images).max() <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count: .*at least 1. Received: 0"),
        ({"count": -2}, "count: .*at least 1. Received: -2"),
        ({"count": 1.5}, "count: expected a whole number. Received: 1.5"),
        ({"count": True}, "count: expected a whole number. Received: True"),
        ({"seed": 0.5}, "seed: expected a whole number. Received: 0.5"),
        ({"batch_size": 0}, "batch_size: .*at least 1. Received: 0"),
        ({"latents": np.zeros((0, 4))}, "count: .*at least 1. Received: 0"),
        ({"latents": np.zeros((3, 5))}, r"latents: .*shape \(3, 4\). Received: float64 of .*\(3, 5\)"),
        ({"latents": np.zeros((3, 4)), "count": 2}, r"latents: .*\(2, 4\). Received: .*\(3, 4\)"),
        ({"latents": np.zeros(4)}, r"latents: .*shape \(4, 4\). Received: .*\(4,\)"),
        ({"latents": 5}, r"latents: .*shape \(1, 4\). Received: .*\(\)"),
        ({"latents": np.full((1, 4), np.nan)}, "latents: expected finite numbers"),
        ({"latents": np.full((1, 4), "a")}, "latents: expected numbers"),
        ({"latents": np.zeros((1, 4), np.complex64)}, "latents: expected numbers.*complex64"),
        ({"latents": np.full((1, 4), 1e300)}, "latents: expected finite numbers"),
        ({"latents": [[0.0] * 4, [0.0]]}, "latents: expected rows of one length"),
    ],
)
def test_generate_refuses(trained, options, message):
    with pytest.raises(InputError, match=message):
        trained[0].generate(**options)


def test_generate_seed(trained):
    model, _ = trained
    first = model.generate(4, seed=3)
    np.testing.assert_array_equal(first, model.generate(4, seed=3))
    assert not np.allclose(first, model.generate(4, seed=4))
    assert len(np.unique(first, axis=0)) == 4


def test_generate_latents_from_the_moving_average(trained):
    model, _ = trained
    latents = np.random.default_rng(0).standard_normal((3, 4))
    drawn = model.generate(latents=latents)
    np.testing.assert_allclose(drawn, model.ema_generator(latents, training=False), atol=1e-6)
    assert not np.allclose(drawn, model.generator(latents, training=False), atol=1e-4)


@pytest.mark.parametrize("batch_size", [1, 3, 7])
def test_generate_does_not_depend_on_the_batch_size(trained, batch_size):
    model, _ = trained
    np.testing.assert_allclose(
        model.generate(7, seed=1), model.generate(7, seed=1, batch_size=batch_size), atol=1e-6
    )


def test_generate_follows_the_training(make_gan, make_images):
    """What was traced before a training does not keep its weights."""
    model = make_gan().compile(**helpers.sgd())
    before = model.generate(2)
    helpers.fit(model, make_images())
    after = model.generate(2)
    assert not np.allclose(before, after)
    latents = tf.random.stateless_normal((2, 4), [0, 0])
    np.testing.assert_allclose(after, model.generator(latents, training=False), atol=1e-6)


# Measuring images


def test_call_is_the_discriminator(trained, make_images):
    model, _ = trained
    images = make_images()
    expected = model.discriminator(images, training=False)
    np.testing.assert_array_equal(model(images), expected)
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, atol=1e-6)


def test_call_passes_training_on(make_gan, make_images):
    model = make_gan(dropout=0.5)
    images = make_images()
    assert not np.array_equal(model(images, training=True), model(images))
    np.testing.assert_array_equal(model(images), model(images))


@pytest.mark.usefixtures("eager")
def test_evaluate_is_repeatable_and_trains_nothing(make_gan, make_images):
    model = make_gan(dropout=0.5, ema_decay=0.5).compile(**helpers.sgd())
    images = make_images(10)
    before = [variable.numpy() for variable in model.weights]
    first = model.evaluate(images, batch_size=4, verbose=0, return_dict=True)
    assert first == model.evaluate(images, batch_size=4, verbose=0, return_dict=True)
    assert sorted(first) == sorted(helpers.LOGGED)
    helpers.assert_same(model.weights, before)


def test_evaluate_is_the_mean_over_images(make_gan, make_images):
    model = make_gan(helpers.Recording).compile(**helpers.sgd(), run_eagerly=True)
    images = make_images(10)
    result = model.evaluate(images, batch_size=4, verbose=0, return_dict=True)
    real, fake = (np.concatenate([step[name] for step in model.seen]) for name in ("real", "fake"))
    np.testing.assert_array_equal(real, np.concatenate([model(x) for x in np.split(images, [4, 8])]))
    # Other latents in every batch.
    assert len(np.unique(fake)) == 10
    assert result["g_loss"] == pytest.approx(np.logaddexp(0, -fake).mean(), rel=1e-5)
    d_loss = np.logaddexp(0, -real) + np.logaddexp(0, fake)
    assert result["d_loss"] == pytest.approx(d_loss.mean(), rel=1e-5)
    assert result["real_accuracy"] == pytest.approx((real > 0).mean())
    assert result["fake_accuracy"] == pytest.approx((fake < 0).mean())


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_validation_does_not_change_training(make_gan, make_images, deterministic):
    plain, validated = (make_gan(dropout=0.3).compile(**helpers.sgd()) for _ in range(2))
    logs = helpers.fit(plain, make_images(), epochs=2)
    both = helpers.fit(validated, make_images(), epochs=2, validation_data=(make_images(4, seed=1),))
    assert sorted(both) == sorted(helpers.LOGGED + [f"val_{name}" for name in helpers.LOGGED])
    assert {name: both[name] for name in helpers.LOGGED} == logs
    helpers.assert_same(plain.weights, validated.weights)
