"""What every Keras layer of this project must pass, in the style of Keras's `run_layer_test`."""

import json

import keras
import numpy as np
import tensorflow as tf

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16", "float64")

# Rounding of the compute dtype, relative to float32.
_TOLERANCE = {"bfloat16": 3e-2, "float16": 4e-3, "float32": 1e-5, "float64": 1e-5}


def check_layer(cls, arguments, *, policy, tmp_path, input_shape, output_shape=None):
    """Checks a layer under one dtype policy; parametrize the test by `POLICIES` and by arguments.

    Args:
        cls: The layer's class.
        arguments: What the constructor is given, besides `dtype`.
        policy: A name of `POLICIES`.
        tmp_path: A directory for the saved model.
        input_shape: Shape of one input, without the batch.
        output_shape: Shape of one output, without the batch. Defaults to what the layer says itself.
    """
    layer = cls(**arguments, dtype=policy)
    _check_config(layer, arguments)
    inputs = keras.Input(input_shape)
    model = keras.Model(inputs, layer(inputs))
    symbolic = model.outputs[0]
    output_shape = symbolic.shape[1:] if output_shape is None else output_shape
    assert symbolic.shape == (None, *output_shape)
    assert symbolic.dtype == layer.compute_dtype
    assert all(weight.dtype == layer.variable_dtype for weight in layer.weights)
    values = np.random.default_rng(0).uniform(-1, 1, (5, *input_shape)).astype(np.float32)
    _check_outputs(layer, values, output_shape)
    _check_precision(cls, arguments, layer, values)
    _check_training(model, values)
    _check_saving(model, values, tmp_path)


def _check_config(layer, arguments):
    config = layer.get_config()
    assert json.loads(json.dumps(config)) == config
    assert {name: config[name] for name in arguments} == arguments
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(copy) is type(layer)
    assert copy.get_config() == config


def _check_outputs(layer, values, output_shape):
    """Eager calls and one graph give the same, whatever the size of the batch."""
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, *values.shape[1:]), tf.float32)])
    tolerance = _TOLERANCE[layer.compute_dtype]
    whole = layer(values)
    for count in (1, 2, len(values)):
        outputs = layer(values[:count])
        assert outputs.shape == (count, *output_shape)
        assert outputs.dtype == layer.compute_dtype
        _assert_close(graph(values[:count]), outputs, tolerance)
        _assert_close(outputs, whole[:count], tolerance)


def _check_precision(cls, arguments, layer, values):
    """Outputs are those of a float32 layer of the same weights, up to rounding."""
    exact = cls(**arguments, dtype="float32")
    exact(values)
    exact.set_weights(layer.get_weights())
    _assert_close(layer(values), exact(values), _TOLERANCE[layer.compute_dtype])


def _check_training(model, values):
    """One step leaves weights that are finite and, where there are any to train, changed."""
    before = [weight.numpy() for weight in model.trainable_weights]
    if not before:
        assert np.isfinite(_array(model(values, training=True))).all()
        return
    model.compile("sgd", "mean_squared_error", auto_scale_loss=False, run_eagerly=True)
    model.fit(values, np.ones((len(values), *model.output_shape[1:])), epochs=1, verbose=0)
    after = [weight.numpy() for weight in model.trainable_weights]
    assert all(np.isfinite(weight).all() for weight in after)
    assert any((a != b).any() for a, b in zip(before, after, strict=True))


def _check_saving(model, values, tmp_path):
    model.save(tmp_path / "layer.keras")
    loaded = keras.models.load_model(tmp_path / "layer.keras")
    assert loaded.layers[-1].dtype_policy.name == model.layers[-1].dtype_policy.name
    _assert_close(loaded(values), model(values), 0)


def _assert_close(actual, expected, tolerance):
    np.testing.assert_allclose(_array(actual), _array(expected), rtol=tolerance, atol=tolerance)


def _array(tensor):
    return tf.cast(tensor, tf.float64).numpy()
