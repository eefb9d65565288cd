import keras
import numpy as np
import pytest

from dcgan.detector.layers import fake_classifier


def _images(count, size=12, channels=1):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, size, size, channels)).astype(np.float32)


@pytest.mark.parametrize(("size", "channels"), [(4, 1), (28, 1), (32, 3), (64, 3)])
def test_logits_of_each_shape(size, channels):
    classifier = fake_classifier.build_classifier((size, size, channels), width=4)
    logits = classifier(_images(2, size, channels))
    assert logits.shape == (2, 1)
    assert np.isfinite(logits).all()


def test_channels_double_with_each_halving_up_to_four_times():
    classifier = fake_classifier.build_classifier((128, 128, 3), width=4)
    strided = [
        (layer.output.shape[1], layer.filters)
        for layer in classifier.layers
        if getattr(layer, "strides", None) == (2, 2)
    ]
    assert strided == [(64, 4), (32, 8), (16, 16), (8, 16), (4, 16)]


def test_size_for_mnist_is_what_is_documented():
    assert fake_classifier.build_classifier((28, 28, 1)).count_params() == 204_417


def test_seed_decides_the_weights():
    first, again, other = (
        fake_classifier.build_classifier((12, 12, 1), width=4, seed=seed).get_weights()
        for seed in (0, 0, 1)
    )
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_precision_is_that_of_the_convolutions_and_of_no_weight():
    exact = fake_classifier.build_classifier((12, 12, 1), width=8)
    fast = fake_classifier.build_classifier((12, 12, 1), width=8, precision="mixed_bfloat16")
    kinds = {layer.name: layer.compute_dtype for layer in fast.layers}
    assert kinds["conv1"] == kinds["norm1"] == kinds["relu1"] == "bfloat16"
    assert kinds["traces"] == kinds["logits"] == "float32"
    assert {weight.dtype for weight in fast.weights} == {"float32"}
    fast.set_weights(exact.get_weights())
    np.testing.assert_allclose(fast(_images(8)), exact(_images(8)), atol=0.1)
    assert np.abs(fast(_images(8)) - exact(_images(8))).max() > 0


def test_is_exact_whatever_the_global_policy_is():
    exact = fake_classifier.build_classifier((12, 12, 1), width=8)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        other = fake_classifier.build_classifier((12, 12, 1), width=8)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(other(_images(8)), exact(_images(8)))


def test_one_bright_pixel_anywhere_counts():
    classifier = fake_classifier.build_classifier((12, 12, 1), width=8)
    plain = classifier(_images(1)).numpy()
    for row, column in ((0, 0), (5, 7), (11, 11)):
        changed = _images(1)
        changed[0, row, column] *= -1
        assert np.abs(classifier(changed) - plain).max() > 1e-7
