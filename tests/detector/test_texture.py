import numpy as np
import pytest
from scipy import fft

from dcgan.detector.layers.texture import Texture


def _measure(images):
    """Correlations, gradients and rings of float images, each by channel."""
    images = np.asarray(images, np.float32)
    channels = images.shape[-1]
    measured = Texture()(images).numpy()
    steps, rings = measured[:, : 15 * channels], measured[:, 15 * channels :]
    steps = steps.reshape(len(images), 15, channels)
    return steps[:, :9], steps[:, 9:], rings.reshape(len(images), channels, 32)


def _random(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def test_stripes_agree_along_themselves_and_oppose_across():
    stripes = np.tile([1.0, -1.0], (16, 8))[np.newaxis, ..., np.newaxis]
    correlations = _measure(stripes)[0][0, :, 0]
    # Pairs at each offset, of 256: across, along, both diagonals, two across.
    shares = [-16 * 15, 15 * 16, -(15 * 15), -(15 * 15), 16 * 14]
    np.testing.assert_allclose(correlations[:5], np.divide(shares, 256), atol=1e-5)


def test_correlations_of_both_diagonals_differ():
    rising = np.eye(16)[::-1][np.newaxis, ..., np.newaxis]
    correlations = _measure(rising)[0][0, :, 0]
    assert correlations[3] > 0.8 > 0.1 > correlations[2]


def test_gradients_of_an_edge():
    image = np.full((1, 10, 10, 1), -1.0)
    image[:, :, 4:] = 0.0
    across, down = np.split(_measure(image)[1][0, :, 0], 2)
    # Ten steps of half, beside sixty pixels of half.
    np.testing.assert_allclose(across, [5 / 30, 2.5 / 30, 0.5], rtol=1e-4)
    np.testing.assert_allclose(down, 0, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_spectrum_is_the_power_of_the_cosine_transform_in_rings(channels):
    images = _random(2, 12, 16, channels)
    transformed = fft.dctn(images.astype(np.float64), axes=(1, 2), norm="ortho")
    power = np.log(transformed**2 + 1e-4)
    distance = np.hypot(*np.meshgrid(np.arange(12) / 12, np.arange(16) / 16, indexing="ij"))
    rings = (distance / np.sqrt(2) * 32).astype(int)
    found = _measure(images)[2]
    for ring in np.unique(rings):
        expected = power[:, rings == ring].mean(axis=1)
        np.testing.assert_allclose(found[:, :, ring], expected, rtol=1e-3, atol=1e-3)
    assert not found[:, :, np.setdiff1d(np.arange(32), rings)].any()


def test_flat_images_are_measured():
    assert np.isfinite(Texture()(np.full((1, 12, 12, 1), -1, np.float32)).numpy()).all()
