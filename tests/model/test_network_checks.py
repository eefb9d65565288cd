import keras
import pytest

from dcgan.errors import InputError
from dcgan.model import network_checks


def generator(*last, latents=(4,), units=64):
    layers = [keras.layers.Flatten(), keras.layers.Dense(units), *last]
    return keras.Sequential([keras.Input(latents), *layers, keras.layers.Reshape((-1, 8, 1))])


def discriminator(*last, normalize=False):
    norm = [keras.layers.BatchNormalization()] if normalize else []
    return keras.Sequential([keras.Input((8, 8, 1)), *norm, keras.layers.Flatten(), *last])


def variable_latents():
    latents = keras.Input((None,))
    total = keras.ops.sum(latents, axis=1, keepdims=True)
    return keras.Model(latents, keras.layers.Reshape((8, 8, 1))(dense(64)(total)))


def activation(name):
    return keras.layers.Activation(name)


def dense(units=1, **options):
    return keras.layers.Dense(units, **options)


def functional(function):
    images = keras.Input((8, 8, 1))
    return keras.Model(images, function(dense()(keras.layers.Flatten()(images))))


@pytest.mark.parametrize("last", [[], [activation("tanh")], [activation("linear")]])
def test_a_pair_that_fits(last):
    network_checks.check_pair(generator(*last), discriminator(dense()))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: discriminator(dense(10)), r"one logit an image, shape \(batch, 1\).*\(None, 10\)"),
        (
            lambda: keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3)]),
            r"one logit an image, .*\(None, 6, 6, 1\)",
        ),
        (lambda: discriminator(dense(activation="sigmoid")), "logits.*Received: sigmoid"),
        (lambda: discriminator(dense(), activation("tanh")), "logits.*Received: tanh"),
        (lambda: discriminator(dense(), keras.layers.Softmax()), "logits.*Received: softmax"),
        (lambda: functional(keras.ops.sigmoid), "logits.*Received: sigmoid"),
        (lambda: discriminator(dense(activation="sigmoid"), activation("linear")), "logits.*: sigmoid"),
        (
            lambda: discriminator(dense(activation="sigmoid"), keras.layers.Dropout(0.1)),
            "logits.*: sigmoid",
        ),
        (
            lambda: discriminator(
                keras.Sequential([dense(activation="sigmoid")]), keras.layers.Flatten()
            ),
            "logits.*Received: sigmoid",
        ),
        (lambda: keras.Sequential([dense()]), "a built Functional or Sequential model"),
        (lambda: "discriminator", "a built Functional or Sequential model"),
    ],
)
def test_a_discriminator_that_gives_no_logits(make, message):
    with pytest.raises(InputError, match=f"discriminator: expected .*{message}"):
        network_checks.check_pair(generator(), make())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: generator(latents=(2, 2)), r"latents of shape \(batch, latent_dim\).*\(None, 2, 2\)"),
        (variable_latents, r"latents of shape \(batch, latent_dim\).*\(None, None\)"),
        (lambda: generator(units=72), r"fit the discriminator.*\(None, 9, 8, 1\), not"),
        (lambda: generator(activation("sigmoid")), r"in \[-1, 1\], as tanh gives.*sigmoid"),
        (lambda: keras.Sequential([dense()]), "a built Functional or Sequential model"),
    ],
)
def test_a_generator_that_gives_no_images(make, message):
    with pytest.raises(InputError, match=f"generator: expected .*{message}"):
        network_checks.check_pair(make(), discriminator(dense()))


def test_r1_wants_no_batch_normalization():
    network_checks.check_penalized(discriminator(dense()))
    normalized = discriminator(dense(), normalize=True)
    with pytest.raises(
        InputError, match="r1_gamma, r2_gamma: expected 0, or a discriminator without batch nor"
    ):
        network_checks.check_penalized(normalized)
    # As a fixed scale it leaves each image its own gradient.
    normalized.layers[0].trainable = False
    network_checks.check_penalized(normalized)
