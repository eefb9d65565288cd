import keras
import numpy as np
import pytest

from dcgan.detector.familiarity import familiarity_model
from dcgan.detector.familiarity.familiarity_model import ConformalPValue


def _exact(known, strangeness):
    at_least = (np.asarray(known)[:, np.newaxis] >= strangeness).sum(axis=0)
    return (1 + at_least) / (len(known) + 1)


def _values(layer, strangeness):
    return layer(np.float32(strangeness)[:, np.newaxis]).numpy()


@pytest.mark.parametrize("count", [1, 7, 150, 1_023, 5_000])
def test_p_values_by_closed_form(count):
    rng = np.random.default_rng(0)
    known = rng.normal(size=count).astype(np.float32)
    tested = np.concatenate([rng.normal(size=500), known[:50], [-1e6, 1e6]]).astype(np.float32)
    layer = ConformalPValue()
    layer.calibrate(known)
    values, exact = _values(layer, tested), _exact(known, tested)
    # Never below the exact value, else an image of the kind would be refused too often.
    assert (values >= exact - 1e-6).all()
    assert (values <= exact + 2 / 1_024 + 1e-6).all()
    assert values.dtype == np.float32
    assert values[-2] == 1


def test_nan_is_as_strange_as_can_be():
    layer = ConformalPValue(sets=2)
    layer.calibrate(np.arange(99.0), which=0)
    layer.calibrate(np.arange(99.0), which=1)
    assert _values(layer, [np.nan, np.inf, 0]).tolist() == pytest.approx([0, 0, 1], abs=0.011)


def test_exact_values_at_as_many_entries_as_are_stored():
    layer = ConformalPValue()
    layer.calibrate(np.arange(1_023.0))
    # At entry j, counted from 1, as many as j - 1 are below.
    np.testing.assert_array_equal(
        _values(layer, [0, 1, 511, 1_022]), (1 + np.array([1_023, 1_022, 512, 1])) / 1_024
    )
    np.testing.assert_allclose(_values(layer, [0.25]), 1 - 0.25 / 1_024, rtol=1e-6)


def test_at_most_the_promised_share_of_the_kind_is_refused():
    rng = np.random.default_rng(1)
    shares = []
    for _ in range(40):
        layer = ConformalPValue()
        layer.calibrate(rng.normal(size=400))
        shares.append((_values(layer, rng.normal(size=2_000)) < 0.05).mean())
    assert 0.03 < np.mean(shares) <= 0.052


def test_the_largest_value_of_several_sets_counts():
    layer = ConformalPValue(sets=2)
    # A set without images refuses nothing, and so does the other beside it.
    assert (_values(layer, [-5, 5e9]) == 1).all()
    layer.calibrate(np.arange(2_000.0))
    assert (_values(layer, [1e9]) == 1).all()
    layer.calibrate(np.arange(2_000.0) + 10_000, which=1)
    assert _values(layer, [15_000])[0] < 0.01
    assert _values(layer, [5_000])[0] == 1
    layer.calibrate(np.empty(0), which=1)
    assert (_values(layer, [15_000]) == 1).all()


def test_rounding_errors_change_little():
    rng = np.random.default_rng(2)
    layer = ConformalPValue()
    layer.calibrate(rng.normal(size=4_000))
    tested = rng.normal(size=1_000).astype(np.float32)
    moved = _values(layer, tested + np.float32(1e-6)) - _values(layer, tested)
    assert np.abs(moved).max() < 1e-3 / 4


@pytest.mark.parametrize("image_shape", [(12, 12, 1), (28, 28, 1), (64, 64, 3)])
def test_network_is_small_and_uncalibrated(image_shape):
    model = familiarity_model.build(image_shape)
    images = np.random.default_rng(0).uniform(-1, 1, (3, *image_shape)).astype(np.float32)
    np.testing.assert_array_equal(model(images), np.ones(3, np.float32))
    assert model.count_params() < 250_000
    other, same = familiarity_model.build(image_shape, seed=1), familiarity_model.build(image_shape)
    logits = [familiarity_model.strangeness(one)(images).numpy() for one in (model, same, other)]
    np.testing.assert_array_equal(logits[0], logits[1])
    assert np.abs(logits[0] - logits[2]).min() > 0


def test_network_is_exact_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = familiarity_model.build((12, 12, 1))
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.compute_dtype for layer in model.layers if layer.weights} == {"float32"}


def test_save_and_load(tmp_path):
    model = familiarity_model.build((12, 12, 1))
    images = np.random.default_rng(0).uniform(-1, 1, (50, 12, 12, 1)).astype(np.float32)
    logits = familiarity_model.strangeness(model)(images).numpy()[:, 0]
    for which in (0, 1):
        familiarity_model.p_values(model).calibrate(logits[:40], which=which)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert len(np.unique(loaded(images))) > 30
    np.testing.assert_array_equal(loaded(images), model(images))
    layer = familiarity_model.p_values(loaded)
    assert ConformalPValue.from_config(layer.get_config()).sets == 2
