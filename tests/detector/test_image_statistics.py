import numpy as np
import pytest
import tensorflow as tf

from dcgan.detector.layers.image_statistics import Framing, Levels


def _measure(image):
    """Margins, shape (channels, 44, 2), and moments, (channels, 12), of an image of grey levels."""
    batch = np.asarray(image, np.float32)[np.newaxis] / 127.5 - 1
    channels = batch.shape[-1]
    measured = Framing()(batch).numpy()[0]
    count = 88 * channels
    return measured[:count].reshape(channels, 44, 2), measured[-12 * channels :].reshape(2, channels, 6)


def _box(top, bottom, left, right, *, level=255, size=16):
    image = np.zeros((size, size, 1))
    image[top:bottom, left:right] = level
    return image


def test_margins_of_a_bright_box():
    margins, _ = _measure(_box(2, 12, 5, 9))
    np.testing.assert_allclose(margins[0, :11], [[2 / 16, 4 / 16]] * 11, atol=6e-3)
    np.testing.assert_allclose(margins[0, 22:33], [[5 / 16, 7 / 16]] * 11, atol=6e-3)
    # Some pixel of every row and column is dark.
    np.testing.assert_allclose(margins[0, 11:22], 0, atol=6e-3)


def test_a_faint_box_shows_at_low_levels_only():
    margins, _ = _measure(_box(2, 12, 5, 9, level=60))
    np.testing.assert_allclose(margins[0, :4], [[2 / 16, 4 / 16]] * 4, atol=6e-3)
    np.testing.assert_allclose(margins[0, 6:11], 1, atol=6e-3)


def test_a_dark_box_shows_in_the_darkest_pixels():
    margins, _ = _measure(255 - _box(2, 12, 5, 9))
    np.testing.assert_allclose(margins[0, 11:22], [[2 / 16, 4 / 16]] * 11, atol=6e-3)
    np.testing.assert_allclose(margins[0, 33:], [[5 / 16, 7 / 16]] * 11, atol=6e-3)


@pytest.mark.parametrize("bright", [0, 1])
def test_moments(bright):
    image = np.random.default_rng(0).uniform(0, 255, (9, 11, 2))
    _, moments = _measure(image)
    weights = image / 255 if bright else 1 - image / 255
    y, x = np.meshgrid(np.linspace(-0.5, 0.5, 9), np.linspace(-0.5, 0.5, 11), indexing="ij")
    for channel in range(2):
        share = weights[..., channel] / weights[..., channel].sum()
        center = (share * y).sum(), (share * x).sum()
        covariance = np.cov(np.stack([y.ravel(), x.ravel()]), aweights=share.ravel(), bias=True)
        np.testing.assert_allclose(
            moments[1 - bright, channel],
            [weights[..., channel].mean(), *center, *np.diag(covariance), covariance[0, 1]],
            atol=1e-4,
        )


def test_there_is_a_gradient_at_the_edges():
    images = tf.constant(_box(2, 12, 5, 9, level=120)[np.newaxis].astype(np.float32) / 127.5 - 1)
    with tf.GradientTape() as tape:
        tape.watch(images)
        extents = tf.reduce_sum(Framing()(images)[:, 88:132])
    gradient = tape.gradient(extents, images).numpy()[0, ..., 0]
    assert np.isfinite(gradient).all()
    assert np.abs(gradient[2:12, 5:9]).max() > 0


@pytest.mark.parametrize("channels", [1, 3])
def test_levels_are_counted(channels):
    levels = np.random.default_rng(0).integers(0, 256, (2, 12, 12, channels))
    levels[..., :4, :, :] = 253
    levels[..., 4:6, :, :] = 0
    measured = Levels()(levels.astype(np.float32) / 127.5 - 1).numpy().reshape(2, channels, 22)
    dark = [-1, 0, 1, 2, 3, 4, 8, 16, 32, 64, 96, 127]
    edges = [*dark, *(254 - level for level in reversed(dark[:-1]))]
    for image in range(2):
        for channel in range(channels):
            counts, _ = np.histogram(levels[image, ..., channel], np.array(edges) + 0.5)
            np.testing.assert_allclose(np.expm1(measured[image, channel]), counts, atol=1e-3)


def test_reals_that_differ_by_one_grey_level_are_told_apart():
    first, second = (
        Levels()(np.full((1, 8, 8, 1), level / 127.5 - 1, np.float32)) for level in (253, 254)
    )
    assert np.abs(first.numpy() - second.numpy()).max() > 2
