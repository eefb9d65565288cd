import numpy as np

from dcgan.detector.layers.quantile_encoding import FeatureEmbedding, QuantileEncoding


def _encode(layer, values):
    """Shape (values, bins), of a single feature."""
    return layer(np.array(values, np.float32)[:, np.newaxis]).numpy()[..., 0]


def test_bins_fill_one_after_the_other():
    layer = QuantileEncoding(bins=4)
    encoded = _encode(layer, [-2, -1, -0.75, 0, 0.9, 3])
    np.testing.assert_allclose(
        encoded,
        [[-1] * 4, [-1] * 4, [0, -1, -1, -1], [1, 1, -1, -1], [1, 1, 1, 0.6], [1] * 4],
        atol=1e-6,
    )


def test_bins_hold_equal_shares_of_what_they_were_adapted_to():
    values = np.random.default_rng(0).exponential(size=(1_000, 2)).astype(np.float32)
    layer = QuantileEncoding(bins=8)
    layer(values[:1])
    layer.adapt(values)
    encoded = layer(values).numpy()
    for feature in range(2):
        # Each value lies in one bin: those before it are full, those behind it empty.
        bins = (encoded[..., feature] > -1).sum(axis=1)
        np.testing.assert_allclose(np.bincount(bins, minlength=9)[1:], 125, atol=2)


def test_a_feature_that_never_changes_is_encoded():
    layer = QuantileEncoding(bins=4)
    _encode(layer, [0])
    layer.adapt(np.full((100, 1), 0.5, np.float32))
    assert np.isfinite(_encode(layer, [0.5, 0, 1])).all()


def test_narrow_bins_do_not_magnify_rounding():
    values = np.r_[np.linspace(0, 1e-7, 900), np.linspace(0.5, 1, 100)].astype(np.float32)
    layer = QuantileEncoding(bins=10)
    _encode(layer, [0])
    layer.adapt(values[:, np.newaxis])
    first, second = _encode(layer, [1e-8, 2e-8])
    assert np.abs(first - second).max() < 1e-4


def test_each_feature_is_embedded_by_weights_of_its_own():
    rng = np.random.default_rng(0)
    encoded = rng.normal(size=(4, 6, 5)).astype(np.float32)
    layer = FeatureEmbedding(3)
    embedded = layer(encoded).numpy().reshape(4, 5, 3)
    kernel, bias = layer.get_weights()
    for feature in range(5):
        expected = np.maximum(encoded[..., feature] @ kernel[feature] + bias[feature], 0)
        np.testing.assert_allclose(embedded[:, feature], expected, atol=1e-5)
    encoded[:, :, 2] += 1
    changed = np.abs(layer(encoded).numpy().reshape(4, 5, 3) - embedded).max(axis=(0, 2)) > 1e-3
    np.testing.assert_array_equal(changed, [False, False, True, False, False])


def test_embeddings_start_as_wide_as_what_they_embed():
    values = np.random.default_rng(0).choice([-1.0, 1.0], size=(2_000, 16, 4)).astype(np.float32)
    embedded = FeatureEmbedding(64, seed=1)(values).numpy()
    np.testing.assert_allclose((embedded**2).mean(), 1, atol=0.15)
