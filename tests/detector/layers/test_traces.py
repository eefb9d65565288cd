import numpy as np
import scipy.ndimage

from dcgan import images as pixels
from dcgan.detector.layers.traces import ClippedTraces, Traces


def _traces(images, **options):
    return np.split(Traces(**options)(images).numpy(), 4, axis=-1)


def _noise(count=2, size=9, channels=3):
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, channels)).astype(np.float32)


def test_is_the_image_its_residual_amplified_and_stretched():
    image, residual, amplified, stretched = _traces(_noise(), gain=7.0)
    np.testing.assert_array_equal(image, _noise())
    smooth = scipy.ndimage.uniform_filter(_noise().astype(float), (0, 3, 3, 0), mode="constant")
    inside = residual[:, 1:-1, 1:-1]
    np.testing.assert_allclose(inside, (_noise() - smooth)[:, 1:-1, 1:-1], atol=1e-6)
    np.testing.assert_allclose(amplified, np.tanh(7.0 * residual), atol=1e-5)
    np.testing.assert_allclose(
        np.tanh(3 * stretched), np.clip(_noise(), -254 / 255, 254 / 255), atol=1e-5
    )


def test_flat_images_have_no_residual_up_to_their_edges():
    _, residual, amplified, _ = _traces(np.full((1, 5, 6, 1), 0.4, np.float32))
    np.testing.assert_allclose(residual, 0, atol=1e-6)
    np.testing.assert_allclose(amplified, 0, atol=1e-5)


def test_one_grey_level_is_amplified_to_what_is_said():
    image = np.full((1, 9, 9, 1), 100, np.uint8)
    image[0, 4, 4] = 101
    amplified = _traces(pixels.to_float(image))[2]
    np.testing.assert_allclose(amplified[0, 4, 4, 0], np.tanh(20 * 8 / 9 * 2 / 255), rtol=1e-3)
    assert 0.13 < amplified.max() < 0.16


def test_ends_of_the_range_are_finite_and_drawn_apart():
    levels = np.uint8([0, 1, 2, 127, 128, 253, 254, 255]).reshape(1, 1, 8, 1)
    stretched = _traces(pixels.to_float(levels))[3].ravel()
    assert np.isfinite(stretched).all()
    steps = np.diff(stretched)
    assert (steps > 0).all()
    assert steps[[0, 1, 5, 6]].min() > 10 * steps[3]


def test_a_pixel_reaches_its_neighbours_only():
    changed = _noise()
    changed[0, 4, 4] = 0.1
    difference = np.abs(Traces()(changed) - Traces()(_noise())).max(axis=-1)
    near = np.zeros_like(difference, bool)
    near[0, 3:6, 3:6] = True
    assert (difference[near] > 0).all()
    assert difference[~near].max() == 0


def test_moves_with_the_image():
    moved = np.roll(_noise(), 2, axis=1)
    whole, expected = Traces()(moved).numpy(), np.roll(Traces()(_noise()).numpy(), 2, axis=1)
    np.testing.assert_allclose(whole[:, 3:-1], expected[:, 3:-1], atol=1e-6)


def test_clipped_traces_are_the_image_and_its_residual_twice():
    image, residual, amplified = np.split(ClippedTraces()(_noise()).numpy(), 3, axis=-1)
    np.testing.assert_allclose(image, np.clip(_noise(), -253 / 255, 253 / 255), atol=1e-7)
    smooth = scipy.ndimage.uniform_filter(image.astype(float), (0, 3, 3, 0), mode="constant")
    inside = (slice(None), slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(residual[inside], 4 * (image - smooth)[inside], atol=1e-5)
    np.testing.assert_allclose(amplified, np.tanh(5 * residual), atol=1e-5)


def test_clipped_traces_do_not_tell_a_lost_extreme():
    pixels_ = np.random.default_rng(0).choice(np.uint8([0, 90, 255]), (2, 9, 9, 3))
    saved = pixels_.clip(1, 254)
    traces = [ClippedTraces()(pixels.to_float(images)).numpy() for images in (pixels_, saved)]
    np.testing.assert_array_equal(*traces)
