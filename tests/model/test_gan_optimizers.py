import keras
import numpy as np
import pytest

import helpers
from dcgan import presets
from dcgan.errors import InputError
from dcgan.model import DCGAN


@pytest.fixture
def set_policy():
    """Sets Keras's global policy while the test lasts."""
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


NAMES = [
    *("sgd", "rmsprop", "adam", "adamw", "adadelta", "adagrad", "adamax", "adafactor", "nadam"),
    *("ftrl", "lion", "muon"),
]


@pytest.mark.parametrize("name", NAMES)
def test_optimizers_of_keras(make_gan, make_images, name):
    model = make_gan().compile(name, name, run_eagerly=True)
    before = [network.get_weights()[0] for network in (model.generator, model.discriminator)]
    history = helpers.fit(model, make_images(4))
    assert np.isfinite(history["d_loss"]).all()
    for network, weight in zip((model.generator, model.discriminator), before, strict=True):
        assert not np.array_equal(network.get_weights()[0], weight)


def test_gradient_accumulation(make_gan, make_images):
    """The first of two steps changes nothing, the second descends along their mean."""

    def moves(**options):
        sgd = [keras.optimizers.SGD(0.1, **options) for _ in range(2)]
        model = make_gan(norm=False).compile(*sgd, run_eagerly=True)
        weights = [model.discriminator.get_weights()[0]]
        helpers.fit(
            model,
            make_images(8),
            callbacks=[
                keras.callbacks.LambdaCallback(
                    on_train_batch_end=lambda *_, **__: weights.append(
                        model.discriminator.get_weights()[0]
                    )
                )
            ],
        )
        return np.diff(weights, axis=0)

    first, second = moves(gradient_accumulation_steps=2)
    assert not first.any()
    assert second.any()
    plain, _ = moves()
    assert np.abs(second).max() < 2 * np.abs(plain).max()


def averaging():
    return {
        name: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
        for name in ("generator_optimizer", "discriminator_optimizer")
    }


def averages(optimizer):
    return getattr(optimizer, "inner_optimizer", optimizer)._model_variables_moving_average


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_averages_of_both_optimizers_are_the_weights_in_the_end(make_gan, make_images, precision):
    model = make_gan(precision=precision).compile(**averaging(), run_eagerly=True)
    pairs = (
        (model.generator, model.generator_optimizer),
        (model.discriminator, model.discriminator_optimizer),
    )
    last = []

    def keep(batch, logs):
        last[:] = [network.get_weights() for network, _ in pairs]

    helpers.fit(
        model, make_images(12), callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=keep)]
    )
    for (network, optimizer), before in zip(pairs, last, strict=True):
        helpers.assert_same(network.trainable_weights, averages(optimizer))
        assert not np.array_equal(network.get_weights()[0], before[0])


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_swap_ema_weights(make_gan, make_images, precision):
    """At an epoch's end both networks have their averages, not what the last step left."""
    model = make_gan(precision=precision).compile(**averaging(), run_eagerly=True)
    ends, swap = [], keras.callbacks.SwapEMAWeights(swap_on_epoch=True)

    def keep(*_, **__):
        ends.append([w.numpy() for w in model.trainable_weights])

    watch = keras.callbacks.LambdaCallback(on_train_batch_end=keep, on_epoch_end=keep)
    helpers.fit(model, make_images(8), epochs=1, callbacks=[swap, watch])
    _, trained, swapped = ends
    for before, after in zip(trained, swapped, strict=True):
        assert not np.array_equal(before, after)


def test_layers_frozen_after_compile_stay(make_gan, make_images):
    model = make_gan().compile(**averaging(), run_eagerly=True)
    model.generator.layers[0].trainable = False
    before = model.generator.layers[0].get_weights()
    helpers.fit(model, make_images(8))
    helpers.assert_same(model.generator.layers[0].get_weights(), before)


def test_regularizers_count(make_gan, make_images):
    """The gradient of half the squared kernel is the kernel: plain descent shrinks it by the rate."""

    def trained(weight):
        discriminator = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(
                    1,
                    kernel_initializer=keras.initializers.GlorotUniform(1),
                    kernel_regularizer=keras.regularizers.L2(weight / 2),
                ),
            ]
        )
        kernel = discriminator.layers[-1].kernel
        before = kernel.numpy()
        model = DCGAN(make_gan().generator, discriminator).compile(**helpers.sgd(), run_eagerly=True)
        logs = helpers.fit(model, make_images(4))
        return kernel.numpy() - before, before, logs

    plain, kernel, plain_logs = trained(0.0)
    moved, _, logs = trained(0.25)
    np.testing.assert_allclose(moved, plain - 0.1 * 0.25 * kernel, atol=1e-6)
    assert logs["d_loss"] == pytest.approx(plain_logs["d_loss"])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_preset_by_name_has_the_precision_of_the_global_policy(set_policy, make_images, policy):
    set_policy(policy)
    model = DCGAN.from_preset("mnist")
    for network in (model.generator, model.discriminator):
        assert {layer.compute_dtype for layer in network.layers if layer.weights} >= {policy[6:]}
    optimizer = model.discriminator_optimizer
    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer) == (policy == "mixed_float16")
    assert model.compute_dtype == "float32"


def test_a_config_says_its_precision_itself(set_policy):
    set_policy("mixed_float16")
    model = DCGAN.from_preset(presets.get("mnist"))
    layers = [*model.generator.layers[1:], *model.discriminator.layers[1:]]
    assert {layer.compute_dtype for layer in layers} == {"float32"}
    assert not isinstance(model.generator_optimizer, keras.optimizers.LossScaleOptimizer)


@pytest.mark.parametrize("policy", ["float16", "float64", "bfloat16"])
def test_other_global_policies_are_refused(set_policy, policy):
    set_policy(policy)
    with pytest.raises(InputError, match=f"precision: expected one of float32.*Received: '{policy}'"):
        DCGAN.from_preset("mnist")


@pytest.mark.slow
def test_networks_that_end_in_float16(set_policy, make_gan, make_images):
    set_policy("mixed_float16")
    pair = (
        [keras.Input((4,)), keras.layers.Dense(64, activation="tanh"), keras.layers.Reshape((8, 8, 1))],
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)],
    )
    model = DCGAN(*map(keras.Sequential, pair), augmentation="color").compile()
    helpers.fit(model, make_images(4), batch_size=4)
    assert model.generate(1).dtype == model.predict(make_images(4), verbose=0).dtype == np.float32
