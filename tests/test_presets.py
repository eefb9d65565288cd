import dataclasses

import keras
import numpy as np
import pytest

from dcgan import layers, presets
from dcgan.errors import InputError
from dcgan.model import DCGAN


def _article_generator():
    return keras.Sequential(
        [
            keras.Input((100,)),
            keras.layers.Dense(7 * 7 * 256, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.LeakyReLU(),
            keras.layers.Reshape((7, 7, 256)),
            keras.layers.Conv2DTranspose(128, 5, strides=1, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.LeakyReLU(),
            keras.layers.Conv2DTranspose(64, 5, strides=2, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.LeakyReLU(),
            keras.layers.Conv2DTranspose(
                1, 5, strides=2, padding="same", use_bias=False, activation="tanh"
            ),
        ]
    )


def _article_discriminator():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(64, 5, strides=2, padding="same"),
            keras.layers.LeakyReLU(),
            keras.layers.Dropout(0.3),
            keras.layers.Conv2D(128, 5, strides=2, padding="same"),
            keras.layers.LeakyReLU(),
            keras.layers.Dropout(0.3),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )


@pytest.fixture(scope="module")
def article():
    return DCGAN.from_preset("article")


@pytest.mark.parametrize(
    ("name", "build", "parameters"),
    [
        ("generator", _article_generator, 2_330_944),
        ("discriminator", _article_discriminator, 212_865),
    ],
)
def test_article_is_the_articles(article, name, build, parameters):
    ours, reference = getattr(article, name), build()
    assert ours.count_params() == reference.count_params() == parameters
    assert [w.shape for w in ours.weights] == [w.shape for w in reference.weights]
    assert _kinds(ours) == _kinds(reference)
    for weight, value in zip(ours.weights, _random_weights(reference), strict=True):
        weight.assign(value)
    inputs = np.random.default_rng(0).standard_normal((4, *ours.input_shape[1:]), np.float32)
    np.testing.assert_allclose(
        ours(inputs, training=False), reference(inputs, training=False), atol=1e-5
    )


def _kinds(model):
    """Names Keras's kinds of layers, without inputs; the images' tanh is compared by its values."""
    own = (layers.FusedBatchNormalization, layers.ReplicaDropout)
    kinds = [type(x).__mro__[isinstance(x, own)].__name__ for x in model.layers]
    return [kind for kind in kinds if kind not in ("InputLayer", "Activation")]


def _random_weights(model):
    """Gives a model weights that no default hides, with variances above zero."""
    rng = np.random.default_rng(1)
    for weight in model.weights:
        value = rng.normal(0, 0.05, weight.shape)
        weight.assign(value + 1 if "variance" in weight.path or "gamma" in weight.path else value)
    return model.get_weights()


def test_article_layers_settings(article):
    norms = [x for x in article.generator.layers if "norm" in x.name]
    assert [(x.momentum, x.epsilon) for x in norms] == [(0.99, 1e-3)] * 3
    drops = [x for x in article.discriminator.layers if isinstance(x, layers.ReplicaDropout)]
    assert [x.rate for x in drops] == [0.3, 0.3]


def test_article_training(article):
    for optimizer in (article.generator_optimizer, article.discriminator_optimizer):
        assert type(optimizer) is keras.optimizers.Adam
        assert optimizer.get_config()["learning_rate"] == pytest.approx(1e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.9, 0.999)
    training = presets.get("article").training
    assert (training.batch_size, training.epochs) == (256, 50)
    assert article.ema_generator is None


@pytest.mark.parametrize("name", presets.PRESETS)
def test_every_preset_builds(name):
    config = presets.get(name)
    assert config.preset == name
    model = DCGAN.from_preset(name)
    size, channels = config.network.image_size, config.network.channels
    assert model.discriminator.input_shape == (None, size, size, channels)
    images = model.generate(2)
    assert images.shape == (2, size, size, channels)
    assert model(images).shape == (2, 1)
    assert (model.ema_generator is not None) == (config.training.ema_decay > 0)


def test_penalties_get_their_scale():
    config = presets.override(presets.get("rgb64"), training={"r2_gamma": 0.5, "batch_size": 64})
    model = DCGAN.from_preset(config)
    gamma = config.training.r1_gamma
    assert (model.r1_gamma, model.r2_gamma) == (pytest.approx(4 * gamma), pytest.approx(2.0))


def test_unknown_preset():
    with pytest.raises(InputError, match=r"preset: expected one of article, mnist.*'celeba'"):
        presets.get("celeba")


def test_override_changes_only_what_it_names_and_checks_it():
    base = presets.get("mnist")
    changed = presets.override(base, network={"dropout": 0.1}, training={"epochs": 3}, seed=5)
    assert changed == dataclasses.replace(
        base,
        network=dataclasses.replace(base.network, dropout=0.1),
        training=dataclasses.replace(base.training, epochs=3),
        seed=5,
    )
    with pytest.raises(InputError, match="epochs: expected at least 1"):
        presets.override(base, training={"epochs": 0})


def test_from_preset_cosine_needs_the_number_of_steps():
    peak = presets.get("mnist").training.generator_learning_rate
    constant = DCGAN.from_preset("mnist").generator_optimizer
    assert float(constant.learning_rate) == pytest.approx(peak)
    config = presets.override(presets.get("mnist"), training={"learning_rate_floor": 0.2})
    decaying = DCGAN.from_preset(config, total_steps=10).generator_optimizer
    for steps, share in ((0, 1.0), (5, 0.6), (10, 0.2)):
        decaying.iterations.assign(steps)
        assert float(decaying.learning_rate) == pytest.approx(share * peak)
        assert config.training.rate_share(steps / 10) == pytest.approx(share)
