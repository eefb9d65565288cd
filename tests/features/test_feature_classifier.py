import numpy as np
import pytest

from dcgan.features import feature_classifier


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "channels", "grid"), [(28, 1, 7), (32, 3, 8), (33, 1, 5), (64, 3, 8), (128, 3, 8)]
)
def test_shapes(size, channels, grid):
    model = feature_classifier.build_classifier((size, size, channels), 7, seed=0)
    assert model.input_shape == (None, size, size, channels)
    assert model.output_shape == (None, 7)
    assert model.get_layer("features").output.shape == (None, feature_classifier.FEATURE_DIM)
    assert model.get_layer("pool").input.shape == (None, grid, grid, feature_classifier.FEATURE_DIM)


def test_outputs_are_probabilities():
    model = feature_classifier.build_classifier((28, 28, 1), 5, seed=0)
    found = model(np.random.default_rng(0).uniform(-1, 1, (3, 28, 28, 1)).astype("f4")).numpy()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_weights_come_from_the_seed():
    first, same, other = (
        feature_classifier.build_classifier((28, 28, 1), 5, seed=seed).get_weights()
        for seed in (1, 1, 2)
    )
    for a, b in zip(first, same, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))
