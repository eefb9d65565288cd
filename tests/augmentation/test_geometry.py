import math

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from dcgan.augmentation import geometry

SIZE = 64


def _distort(images, probability, *, seed=0):
    seeds = tf.constant([seed, 7], tf.int64)
    return geometry.distort_geometry(tf.constant(images), tf.constant(probability), seed=seeds).numpy()


@pytest.fixture(scope="module")
def maps():
    """What 1,500 distortions do about the centre: matrices (count, 2, 2), shifts (count, 2) in sides."""
    place = (np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2) / SIZE
    ramps = np.stack(np.meshgrid(place, place, indexing="ij"), axis=-1)
    # Of an image of coordinates, each pixel says where it came from.
    moved = _distort(np.repeat(ramps[None], 1500, axis=0), 1.0)
    low, high = SIZE // 2 - 4, SIZE // 2 + 4
    down = (moved[:, high, low] - moved[:, low, low]) * SIZE / 8
    right = (moved[:, low, high] - moved[:, low, low]) * SIZE / 8
    centre = moved[:, SIZE // 2 - 1 : SIZE // 2 + 1, SIZE // 2 - 1 : SIZE // 2 + 1].mean(axis=(1, 2))
    # Those shifted so far that the border's mirror is in the middle are left out.
    near = np.abs(centre).max(axis=1) < 0.35
    assert near.mean() > 0.95
    return np.stack([down, right], axis=-1)[near], centre[near]


@pytest.mark.parametrize("channels", [1, 3])
def test_at_zero_images_stay_exactly_as_they_are(make_images, channels):
    images = np.repeat(make_images(4), channels, axis=-1) * np.pi
    np.testing.assert_array_equal(_distort(images, 0.0), images)


def test_each_image_is_distorted_on_its_own_with_the_probability():
    images = np.random.default_rng(0).uniform(-1, 1, (2000, 16, 16, 1)).astype(np.float32)
    same = (_distort(images, 0.2) == images).all(axis=(1, 2, 3)).mean()
    # Four distortions and the turns before and after the stretch; 2 x 2 of 17 x 17 shifts round to 0.
    expected = 0.8**3 * 0.8 * (0.8 + 0.2 * 0.25**2)
    assert same == pytest.approx(expected, abs=0.035)


def test_never_flips_and_turns_little(maps):
    matrices, _ = maps
    assert (np.linalg.det(matrices) > 0.2).all()
    # The polar decomposition's rotation.
    angles = np.degrees(
        np.arctan2(matrices[:, 1, 0] - matrices[:, 0, 1], matrices[:, 0, 0] + matrices[:, 1, 1])
    )
    assert 10 < np.abs(angles).max() <= 20.1
    # Two uniform angles of up to 10 degrees.
    assert angles.std() == pytest.approx(10 * math.sqrt(2 / 3), rel=0.08)
    assert angles.mean() == pytest.approx(0, abs=1)


def test_scales_and_stretches_as_the_paper_does(maps):
    singular = np.log2(np.linalg.svd(maps[0], compute_uv=False))
    assert singular.mean(axis=1).std() == pytest.approx(0.2, rel=0.08)
    assert singular.mean() == pytest.approx(0, abs=0.02)
    # Half the difference is the stretch's size.
    stretch = (singular[:, 0] - singular[:, 1]) / 2
    assert math.sqrt(np.mean(stretch**2)) == pytest.approx(0.2, rel=0.08)


def test_shifts_as_the_paper_does(maps):
    """A normal shift and a uniform one, both of which the scale leaves about as they are."""
    spread = math.sqrt(0.125**2 + 0.125**2 / 3)
    assert maps[1].std(axis=0) == pytest.approx([spread, spread], rel=0.1)
    assert maps[1].mean(axis=0) == pytest.approx([0, 0], abs=0.02)


def test_samples_as_scipy_does_and_mirrors_at_the_border(make_images):
    image, rng = make_images(1, size=9), np.random.default_rng(1)
    y, x = rng.uniform(-20, 30, (2, 1, 9, 9)).astype(np.float32)
    y[0, 0], x[0, 1] = 8.0, 0.0
    reflected = (geometry._reflect(tf.constant(place), 9) for place in (y, x))
    sampled = geometry._interpolate(tf.constant(image), *reflected)
    expected = scipy.ndimage.map_coordinates(image[0, ..., 0], [y[0], x[0]], order=1, mode="mirror")
    np.testing.assert_allclose(sampled[0, ..., 0], expected, atol=1e-5)


def test_gradients_are_exact(make_images):
    """The distortion is linear, so its gradient is its transpose."""
    images, outer = tf.constant(make_images(20)), make_images(20, seed=1)
    with tf.GradientTape() as tape:
        tape.watch(images)
        moved = geometry.distort_geometry(images, tf.constant(0.9), seed=tf.constant([0, 7]))
    transposed = tape.gradient(moved, images, output_gradients=tf.constant(outer)).numpy()
    before, after = transposed * images.numpy(), moved.numpy() * outer
    np.testing.assert_allclose(before.sum(axis=(1, 2, 3)), after.sum(axis=(1, 2, 3)), atol=1e-4)
    assert np.abs(transposed - outer).max() > 0.1


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_compiled_for_any_number_of_images(compiled):
    """XLA draws other numbers from a seed than TensorFlow does."""

    @tf.function(
        input_signature=[tf.TensorSpec((None, 12, 8, 3)), tf.TensorSpec(())],
        jit_compile=compiled,
        autograph=False,
    )
    def run(images, probability):
        return geometry.distort_geometry(images, probability, seed=tf.constant([0, 7], tf.int64))

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
