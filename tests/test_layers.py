import keras
import numpy as np
import pytest
import tensorflow as tf

import layer_checks
from dcgan import layers

DTYPES = ["float32", "mixed_bfloat16", "mixed_float16"]


def _normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(0.5, 2.0, shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(16, 3), (8, 5, 5, 4), (6, 7, 2)])
def test_norm_is_keras_norm(shape):
    ours = layers.FusedBatchNormalization(momentum=0.8, epsilon=1e-3)
    keras_own = keras.layers.BatchNormalization(momentum=0.8, epsilon=1e-3)
    for layer in (ours, keras_own):
        layer.build((None, *shape[1:]))
        layer.gamma.assign(np.linspace(0.5, 2, shape[-1]))
        layer.beta.assign(np.linspace(-1, 1, shape[-1]))
    for step in range(3):
        inputs = _normal(*shape, seed=step)
        np.testing.assert_allclose(
            ours(inputs, training=True), keras_own(inputs, training=True), atol=1e-5
        )
    for a, b in zip(ours.weights, keras_own.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    inputs = _normal(*shape, seed=9)
    np.testing.assert_allclose(ours(inputs), keras_own(inputs), atol=1e-5)


def test_norm_has_keras_gradients():
    inputs, pull = tf.constant(_normal(8, 5, 5, 4)), _normal(8, 5, 5, 4, seed=1)
    gradients = []
    for cls in (layers.FusedBatchNormalization, keras.layers.BatchNormalization):
        layer = cls()
        layer.build(inputs.shape)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(inputs, training=True) * pull)
        gradients.append(tape.gradient(loss, [inputs, *layer.trainable_weights]))
    for ours, reference in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, reference, atol=1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_norm_keeps_the_dtype_and_float32_statistics(dtype):
    layer = layers.FusedBatchNormalization(dtype=dtype)
    outputs = layer(_normal(64, 4, 4, 3), training=True)
    assert outputs.dtype == layer.compute_dtype
    outputs = np.asarray(tf.cast(outputs, tf.float32))
    np.testing.assert_allclose(outputs.mean(axis=(0, 1, 2)), 0, atol=1e-2)
    np.testing.assert_allclose(outputs.std(axis=(0, 1, 2)), 1, atol=1e-2)
    assert {weight.dtype for weight in layer.weights} == {"float32"}


def test_frozen_norm_uses_and_keeps_its_statistics():
    layer = layers.FusedBatchNormalization()
    layer.build((None, 3))
    layer.trainable = False
    inputs = _normal(16, 3)
    np.testing.assert_allclose(layer(inputs, training=True), inputs / np.sqrt(1 + 1e-3), rtol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean, [0, 0, 0])


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.9])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dropout_rate_and_scale(rate, dtype):
    layer = layers.ReplicaDropout(rate, seed=1, dtype=dtype)
    outputs = layer(np.ones((101, 999), np.float32), training=True)
    assert outputs.dtype == layer.compute_dtype
    outputs = np.asarray(tf.cast(outputs, tf.float32))
    kept = outputs != 0
    # Five standard deviations of a share of 100,899 coins.
    assert kept.mean() == pytest.approx(1 - rate, abs=5 * np.sqrt(rate * (1 - rate) / kept.size))
    np.testing.assert_allclose(outputs[kept], 1 / (1 - rate), rtol=5e-3)
    assert np.abs(np.corrcoef(kept[:-1].ravel(), kept[1:].ravel())[0, 1]) < 0.02
    assert np.abs(np.corrcoef(kept[:, :-1].ravel(), kept[:, 1:].ravel())[0, 1]) < 0.02


def test_dropout_draws_anew_and_reproducibly():
    first, second = layers.ReplicaDropout(0.5, seed=3), layers.ReplicaDropout(0.5, seed=3)
    inputs = np.ones((4, 50), np.float32)
    draws = [first(inputs, training=True).numpy() for _ in range(2)]
    assert not np.array_equal(*draws)
    for draw in draws:
        np.testing.assert_array_equal(draw, second(inputs, training=True))
    other = layers.ReplicaDropout(0.5, seed=4)(inputs, training=True)
    assert not np.array_equal(draws[0], other)


def test_dropout_differs_between_replicas(monkeypatch):
    inputs, draws = np.ones((4, 50), np.float32), []
    for replica in (0, 1):
        monkeypatch.setattr(layers, "replica_id", lambda replica=replica: replica)
        draws.append(layers.ReplicaDropout(0.5, seed=3)(inputs, training=True).numpy())
    assert not np.array_equal(*draws)


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (0.5, False)])
def test_dropout_passes_through(rate, training):
    inputs = _normal(3, 4)
    layer = layers.ReplicaDropout(rate, seed=1)
    np.testing.assert_array_equal(layer(inputs, training=training), inputs)


def test_dropout_passes_gradients_where_it_kept():
    layer, inputs = layers.ReplicaDropout(0.5, seed=1), tf.ones((1, 100))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
    np.testing.assert_array_equal(tape.gradient(outputs, inputs), outputs)


@pytest.mark.parametrize("policy", layer_checks.POLICIES)
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"scale": False},
        {"center": False},
        {"scale": False, "center": False, "momentum": 0.5, "epsilon": 0.1},
        {"axis": 1},
        {"axis": 3, "epsilon": 1e-7},
        {"renorm": True, "renorm_clipping": {"rmax": 2.0, "rmin": 0.5, "dmax": 1.0}},
        {"synchronized": True},
    ],
    ids=str,
)
def test_norm_passes_the_layer_checks(tmp_path, arguments, policy):
    layer_checks.check_layer(
        layers.FusedBatchNormalization,
        arguments,
        policy=policy,
        tmp_path=tmp_path,
        input_shape=(4, 3, 2),
        output_shape=(4, 3, 2),
    )


@pytest.mark.parametrize("policy", layer_checks.POLICIES)
@pytest.mark.parametrize(
    "arguments",
    [{"rate": 0}, {"rate": 0.5, "seed": 3}, {"rate": 1.0}],
    ids=str,
)
def test_dropout_passes_the_layer_checks(tmp_path, arguments, policy):
    layer_checks.check_layer(
        layers.ReplicaDropout,
        arguments,
        policy=policy,
        tmp_path=tmp_path,
        input_shape=(4, 6),
        output_shape=(4, 6),
    )


@pytest.mark.parametrize(
    "options",
    [
        {"scale": False},
        {"center": False},
        {"axis": 1},
        {"axis": -2},
        {"epsilon": 1e-7},
        {"dtype": "float64"},
        {"momentum": 0.0},
        {"renorm": True},
        {"trainable": False},
        {"gamma_initializer": "zeros", "beta_initializer": "ones"},
        {"moving_mean_initializer": "ones"},
    ],
    ids=str,
)
def test_every_argument_of_norm_is_as_in_keras(options):
    inputs = _normal(8, 5, 6, 4)
    ours, keras_own = (
        layers.FusedBatchNormalization(**options),
        keras.layers.BatchNormalization(**options),
    )
    for training in (True, False):
        np.testing.assert_allclose(
            ours(inputs, training=training), keras_own(inputs, training=training), atol=1e-5
        )
    for a, b in zip(ours.weights, keras_own.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("shape", [(0, 3), (0, 4, 4, 3)])
def test_an_empty_share_of_a_batch_leaves_the_statistics_of_norm(shape):
    layer = layers.FusedBatchNormalization()
    layer(_normal(16, *shape[1:]), training=True)
    before = layer.get_weights()
    assert layer(np.zeros(shape, np.float32), training=True).shape == shape
    for kept, weight in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, kept)


def test_norm_honours_masks():
    inputs, mask = _normal(6, 7, 2), np.arange(7)[None] < np.arange(1, 7)[:, None]
    ours, keras_own = layers.FusedBatchNormalization(), keras.layers.BatchNormalization()
    outputs = [layer(inputs, training=True, mask=mask) for layer in (ours, keras_own)]
    np.testing.assert_allclose(*outputs, atol=1e-5)
    assert not np.allclose(outputs[0], layers.FusedBatchNormalization()(inputs, training=True))


def test_dropout_repeats_its_noise_along_sides_of_one():
    layer = layers.ReplicaDropout(0.5, seed=1, noise_shape=(None, 1, 300))
    assert layers.ReplicaDropout.from_config(layer.get_config()).noise_shape == layer.noise_shape
    outputs = layer(np.ones((4, 5, 300), np.float32), training=True).numpy()
    assert (outputs == outputs[:, :1]).all()
    assert len(np.unique(outputs[:, 0], axis=0)) == 4
    assert (outputs > 0).mean() == pytest.approx(0.5, abs=0.1)


def test_dropout_of_everything_is_zero():
    assert not layers.ReplicaDropout(1.0)(np.ones((3, 4), np.float32), training=True).numpy().any()


def test_replica_id_is_zero_on_one_device():
    assert int(layers.replica_id()) == 0


@pytest.mark.parametrize("policy", DTYPES)
def test_class_projection_adds_an_inner_product(policy):
    features, logits, labels = _normal(5, 2, 3), _normal(5, 1, seed=1), np.array([0, 3, 1, 1, 2])
    layer = layers.ClassProjection(4, dtype=policy)
    np.testing.assert_allclose(layer(features, logits, labels), logits, rtol=1e-2)
    layer.vectors.assign(_normal(4, 6, seed=2))
    flat = features.reshape(5, 6)
    expected = logits + np.sum(flat * layer.vectors.numpy()[labels], axis=1, keepdims=True)
    found = layer(features, logits, labels)
    assert found.dtype == layer.compute_dtype
    np.testing.assert_allclose(found, expected, rtol=3e-2, atol=0.3 if policy != "float32" else 1e-4)
    copy = layers.ClassProjection.from_config(layer.get_config())
    assert (copy.classes, copy.dtype_policy.name) == (4, policy)
    assert copy.compute_output_shape((5, 2, 3), (5, 1), (5,)) == (5, 1)


@pytest.mark.parametrize("dtype", layer_checks.POLICIES)
def test_smoothing_in_every_precision(tmp_path, dtype):
    layer_checks.check_layer(
        layers.Smoothing, {}, policy=dtype, tmp_path=tmp_path, input_shape=(6, 5, 3)
    )


def test_smoothing_by_hand():
    point = np.zeros((1, 5, 5, 2), np.float32)
    point[0, 2, 2] = 16, 32
    expected = np.outer([0, 1, 2, 1, 0], [0, 1, 2, 1, 0])[None, ..., None] * [1, 2]
    np.testing.assert_array_equal(layers.Smoothing()(point), expected)


def test_smoothing_leaves_no_checkerboard():
    rows, columns = np.indices((8, 8))
    board = np.where((rows + columns) % 2, 1.0, -1.0).astype(np.float32)[None, ..., None]
    np.testing.assert_array_equal(layers.Smoothing()(board)[:, 1:-1, 1:-1], np.zeros((1, 6, 6, 1)))
