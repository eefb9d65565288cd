import io

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from scipy import ndimage

from dcgan.detector import corruptions


@pytest.fixture
def photos():
    """Smooth colour images, shape (6, 32, 32, 3), uint8."""
    rng = np.random.default_rng(0)
    noise = rng.uniform(0, 255, (6, 32, 32, 3))
    return ndimage.gaussian_filter(noise, (0, 3, 3, 0)).astype(np.uint8)


def test_jpeg_is_what_a_file_would_hold(photos):
    ours = corruptions._jpeg(tf.constant(photos[:2]), 75).numpy()
    for image, encoded in zip(photos, ours, strict=False):
        file = io.BytesIO()
        PIL.Image.fromarray(image).save(file, "JPEG", quality=75)
        # The two libraries' decoders may differ in how they upsample colour.
        decoded = np.asarray(PIL.Image.open(file)).astype(int)
        assert np.abs(decoded - encoded).mean() < 1.5


def test_jpeg_takes_a_quality_an_image(photos):
    same = np.repeat(photos[:1], 2, axis=0)
    both = corruptions._jpeg(tf.constant(same), [95, 5]).numpy().astype(int)
    near, far = np.abs(both - same).mean(axis=(1, 2, 3))
    assert near < far


@pytest.mark.parametrize("sigma", [0.4, 1.0])
def test_blur_is_a_gaussian(photos, sigma):
    ours = corruptions._blur(tf.constant(photos), sigma).numpy().astype(float)
    scipys = ndimage.gaussian_filter(
        photos.astype(float), (0, sigma, sigma, 0), mode="mirror", radius=(0, 4, 4, 0)
    )
    np.testing.assert_allclose(ours, scipys, atol=0.51)


def test_rescaling_loses_detail_and_keeps_the_mean():
    checks = np.indices((1, 16, 16, 1)).sum(0) % 2 * np.uint8(200)
    rescaled = corruptions._rescale(tf.constant(checks.astype(np.uint8)), 0.5).numpy()
    assert rescaled.shape == checks.shape
    assert rescaled.std() < 20
    assert abs(rescaled.mean() - 100) < 5


def test_noise_has_its_deviation_and_seed():
    grey = tf.fill((4, 50, 50, 1), tf.constant(128, tf.uint8))
    noisy = corruptions._noise(grey, 8.0, seed=[1, 2]).numpy()
    assert abs(noisy.astype(float).std() - 8) < 0.3
    np.testing.assert_array_equal(noisy, corruptions._noise(grey, 8.0, seed=[1, 2]))


@pytest.mark.parametrize("name", corruptions.CORRUPTIONS)
def test_corruptions_change_pixels_and_keep_shape(photos, name):
    changed = corruptions.CORRUPTIONS[name](tf.constant(photos)).numpy()
    assert (changed.shape, changed.dtype) == (photos.shape, np.uint8)
    assert (changed != photos).any()


@pytest.mark.parametrize("channels", [1, 3])
def test_augmentation_leaves_some_and_keeps_order(photos, channels):
    images = photos[..., :channels].repeat(4, axis=0)
    for number in range(3):
        changed = corruptions.augment(tf.constant(images), seed=tf.constant([number, 0])).numpy()
        np.testing.assert_array_equal(changed[:3], images[:3])
        assert (changed[3:] != images[3:]).any(axis=(1, 2, 3)).mean() > 0.7
        assert np.abs(changed.astype(int) - images).mean() < 20


def test_augmentation_differs_from_step_to_step(photos):
    first, second = (
        corruptions.augment(tf.constant(photos), seed=tf.constant([0, step])).numpy() for step in (1, 2)
    )
    assert (first != second).any()
