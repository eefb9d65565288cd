import numpy as np
import pytest
import tensorflow as tf

from dcgan.augmentation import colors


def _distort(images, probability, *, seed=0):
    seeds = tf.constant([seed, 7], tf.int64)
    return colors.distort_colors(tf.constant(images), tf.constant(probability), seed=seeds).numpy()


@pytest.fixture(scope="module")
def maps():
    """The affine maps of 2,000 distortions of RGB: matrices (count, 3, 3), offsets (count, 3)."""
    black_and_primaries = np.concatenate([np.zeros((1, 3)), np.eye(3)])[None, None]
    mapped = _distort(np.repeat(black_and_primaries, 2000, axis=0).astype(np.float32), 1.0)[:, 0]
    return np.moveaxis(mapped[:, 1:] - mapped[:, :1], 1, 2), mapped[:, 0]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_at_zero_images_stay_exactly_as_they_are(make_images, channels):
    images = np.repeat(make_images(4), channels, axis=-1) * np.pi
    np.testing.assert_array_equal(_distort(images, 0.0), images)


@pytest.mark.parametrize(("channels", "distortions"), [(1, 2), (3, 4)])
def test_each_image_is_distorted_on_its_own_with_the_probability(make_images, channels, distortions):
    images = np.repeat(make_images(2000), channels, axis=-1)
    images[..., 0] *= 0.5
    same = (_distort(images, 0.2) == images).all(axis=(1, 2, 3)).mean()
    # The sign turns in half of the images chosen for it.
    assert same == pytest.approx(0.8**distortions * 0.9, abs=0.035)


def test_grey_images_get_brightness_contrast_and_half_of_them_become_negatives(make_images):
    images = make_images(2000)
    changed = _distort(images, 1.0)
    x, y = images.reshape(2000, -1), changed.reshape(2000, -1)
    scale = ((x - x.mean(1, keepdims=True)) * y).sum(1) / ((x - x.mean(1, keepdims=True)) * x).sum(1)
    np.testing.assert_allclose(
        y - y.mean(1, keepdims=True), scale[:, None] * (x - x.mean(1, keepdims=True)), atol=1e-4
    )
    assert (scale < 0).mean() == pytest.approx(0.5, abs=0.05)
    assert np.log2(np.abs(scale)).std() == pytest.approx(0.5, rel=0.08)
    brightness = y.mean(1) / scale - x.mean(1)
    assert brightness.std() == pytest.approx(0.2, rel=0.08)
    assert brightness.mean() == pytest.approx(0, abs=0.02)


def test_grey_stays_grey_in_rgb(maps):
    matrices, offsets = maps
    lightness = matrices.sum(axis=2)
    np.testing.assert_allclose(lightness, np.repeat(lightness[:, :1], 3, axis=1), atol=1e-4)
    np.testing.assert_allclose(offsets, np.repeat(offsets[:, :1], 3, axis=1), atol=1e-5)
    assert np.log2(np.abs(lightness[:, 0])).std() == pytest.approx(0.5, rel=0.08)
    assert (lightness[:, 0] < 0).mean() == pytest.approx(0.5, abs=0.05)


def test_hue_turns_around_grey_and_saturation_scales_off_it(maps):
    """In the plane across grey the map is a turn by any angle, times contrast and saturation."""
    plane = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])
    turned = plane @ maps[0] @ plane.T
    strength = np.sqrt(np.linalg.det(turned))
    np.testing.assert_allclose(
        turned @ turned.transpose(0, 2, 1), strength[:, None, None] ** 2 * np.eye(2), atol=1e-3
    )
    angles = np.arctan2(turned[:, 1, 0], turned[:, 0, 0])
    # Uniform: each quarter of the circle has its share.
    assert np.histogram(angles, 4, (-np.pi, np.pi))[0] == pytest.approx([500] * 4, abs=100)
    saturation = strength / np.abs(maps[0].sum(axis=2)[:, 0])
    assert np.log2(saturation).std() == pytest.approx(1.0, rel=0.08)


def test_gradients_pass(make_images):
    images = tf.constant(np.repeat(make_images(20), 3, axis=-1))
    with tf.GradientTape() as tape:
        tape.watch(images)
        changed = colors.distort_colors(images, tf.constant(1.0), seed=tf.constant([0, 7]))
    gradients = tape.gradient(changed, images).numpy()
    assert np.isfinite(gradients).all()
    # The sum's gradient is the lightness' factor, the same for all pixels of an image.
    constant = np.broadcast_to(gradients[:, :1, :1, :1], gradients.shape)
    np.testing.assert_allclose(gradients, constant, atol=1e-4)
    assert (np.abs(gradients) > 0.1).all()


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_compiled_for_any_number_of_images(compiled):
    """XLA draws other numbers from a seed than TensorFlow does."""

    @tf.function(
        input_signature=[tf.TensorSpec((None, 12, 8, 3)), tf.TensorSpec(())],
        jit_compile=compiled,
        autograph=False,
    )
    def run(images, probability):
        return colors.distort_colors(images, probability, seed=tf.constant([0, 7], tf.int64))

    for count in (1, 5):
        images = np.random.default_rng(0).uniform(-1, 1, (count, 12, 8, 3)).astype(np.float32)
        np.testing.assert_array_equal(run(images, 0.0), images)
        changed = run(images, 1.0).numpy()
        assert np.isfinite(changed).all()
        assert (np.abs(changed - images).max(axis=(1, 2, 3)) > 1e-3).all()


def test_follows_the_seed(make_images):
    images = make_images(8)
    first = _distort(images, 1.0, seed=3)
    np.testing.assert_array_equal(first, _distort(images, 1.0, seed=3))
    assert not np.array_equal(first, _distort(images, 1.0, seed=4))
