import copy
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers
from dcgan.errors import InputError


@pytest.mark.usefixtures("eager")
def test_compile_returns_the_model(make_gan, make_images):
    history = make_gan().compile(**helpers.sgd()).fit(make_images(), batch_size=4, verbose=0)
    assert isinstance(history, keras.callbacks.History)


def test_jit_compile_is_left_to_keras(make_gan):
    reference = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    reference.compile("sgd")
    assert make_gan().compile().jit_compile == reference.jit_compile
    assert make_gan().compile(jit_compile=True).jit_compile is True


@pytest.mark.slow
def test_jit_compile_trains(make_gan, make_images):
    model = make_gan(dropout=0.3, augmentation="color,translation,cutout", ema_decay=0.9)
    model.compile(**helpers.sgd(), r1_gamma=1.0, penalty_interval=2, jit_compile=True)
    assert np.isfinite(list(helpers.fit(model, make_images(16)).values())).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "l1"}, InputError, "loss: expected one of"),
        ({"loss": "hinge", "label_smoothing": 0.1}, InputError, "expected 0 with the hinge loss"),
        ({"loss": keras.losses.MeanSquaredError()}, InputError, "loss: expected a string"),
        ({"label_smoothing": 2.0}, InputError, "label_smoothing: expected 0 to 1. Received: 2.0"),
        ({"r1_gamma": -1.0}, InputError, "r1_gamma: .*Received: -1"),
        ({"r1_gamma": math.nan}, InputError, "r1_gamma: .*Received: nan"),
        ({"r2_gamma": -1.0}, InputError, "r2_gamma: .*Received: -1"),
        ({"penalty_interval": 0}, InputError, "penalty_interval: .*Received: 0"),
        ({"penalty_interval": 1.5}, InputError, "penalty_interval: .*whole number. Received: 1.5"),
        *(
            (
                {name: value},
                InputError,
                f"{name}: expected one of keras.optimizers, its name or its configuration",
            )
            for name in ("generator_optimizer", "discriminator_optimizer")
            for value in ("steepest", 0.1, keras.optimizers.Adam, {"class_name": "Steepest"})
        ),
        *(
            ({name: 1}, TypeError, f"DCGAN.compile does not support {name}. It has generator_opt")
            for name in ("optimizer", "metrics", "loss_weights", "weighted_metrics", "auto_scale_loss")
        ),
    ],
)
def test_compile_refuses(make_gan, options, error, message):
    with pytest.raises(error, match=message):
        make_gan().compile(**options)


def test_compile_takes_keras_arguments_that_are_none(make_gan):
    unset = dict.fromkeys(("metrics", "weighted_metrics", "loss_weights", "run_eagerly"))
    assert make_gan().compile(**unset).compiled


def test_one_optimizer_is_not_for_both(make_gan):
    one = keras.optimizers.SGD()
    for other in (one, keras.optimizers.LossScaleOptimizer(one)):
        with pytest.raises(InputError, match="expected an optimizer for each network"):
            make_gan().compile(one, other)


def test_an_optimizer_of_another_model_is_refused(make_gan):
    used = keras.optimizers.Adam()
    model = make_gan().compile(used)
    with pytest.raises(InputError, match="discriminator_optimizer: expected a new optimizer"):
        make_gan().compile(None, used)
    assert model.compile(used).compiled


def test_optimizers_by_name_and_configuration(make_gan):
    sgd = keras.optimizers.SGD(0.25)
    config = keras.optimizers.serialize(keras.optimizers.LossScaleOptimizer(sgd))
    before = copy.deepcopy(config)
    model = make_gan().compile("rmsprop", config)
    assert isinstance(model.generator_optimizer, keras.optimizers.RMSprop)
    assert float(model.discriminator_optimizer.learning_rate) == 0.25
    assert config == before


@pytest.mark.parametrize("option", ["sample_weight", "class_weight"])
@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_weights_of_images_are_refused(make_gan, make_images, option, method):
    if (option, method) == ("class_weight", "evaluate"):
        pytest.skip("Keras's evaluate has no class_weight")
    weights = {"sample_weight": np.ones(8), "class_weight": {0: 1.0, 1: 2.0}}[option]
    model = make_gan().compile()
    for labels in (None, np.arange(8) % 2):
        with pytest.raises(InputError, match="DCGAN does not support sample_weight and class_weight"):
            getattr(model, method)(make_images(8), labels, verbose=0, **{option: weights})


@pytest.mark.parametrize(
    ("method", "before"),
    [("fit", (None, 4, 1, 0, None, 0.0, None, True, None)), ("evaluate", (None, 4, 0))],
)
def test_weights_by_position_are_refused(make_gan, make_images, method, before):
    with pytest.raises(InputError, match="DCGAN does not support sample_weight and class_weight"):
        getattr(make_gan().compile(), method)(make_images(8), *before, np.ones(8))


def test_weights_in_the_dataset_are_refused(make_gan, make_images):
    rows = make_images(8), np.arange(8), np.ones(8)
    with pytest.raises(InputError, match="DCGAN does not support sample_weight and class_weight"):
        make_gan().compile().fit(tf.data.Dataset.from_tensor_slices(rows).batch(4), verbose=0)
