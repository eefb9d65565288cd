import itertools

import numpy as np
import pytest
from scipy import ndimage

from dcgan import features
from dcgan.features import random_extractor
from dcgan.metrics import Moments, frechet_distance, kernel_inception_distance


@pytest.fixture(scope="module")
def extractor():
    return features.load("random")


@pytest.fixture(scope="module")
def digits(mnist_test):
    """Two disjoint sets of 1000 digits."""
    return mnist_test.images[:2000:2], mnist_test.images[1:2000:2]


def _frechet(extractor, first, second):
    return frechet_distance(
        *(Moments.of(extractor.embed(images).features) for images in (first, second))
    )


def _noisy(images, level):
    noise = np.random.default_rng(0).normal(0, level, images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def _blurred(images, sigma):
    return ndimage.gaussian_filter(images.astype(float), (0, sigma, sigma, 0)).round().astype(np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [_noisy, _blurred])
def test_worse_images_are_further_away(extractor, digits, spoil):
    levels = {_noisy: (0, 10, 20, 40, 80), _blurred: (0, 0.5, 0.7, 1, 1.5)}[spoil]
    distances = [_frechet(extractor, digits[0], spoil(digits[1], level)) for level in levels]
    assert all(after > 1.2 * before for before, after in itertools.pairwise(distances))


def test_the_kernel_distance_sees_noise_too(extractor, digits):
    real, other, noisy = (
        extractor.embed(images).features for images in (*digits, _noisy(digits[1], 40))
    )
    clean, _ = kernel_inception_distance(real, other, subsets=3)
    spoilt, _ = kernel_inception_distance(real, noisy, subsets=3)
    assert spoilt > 20 * abs(clean)


@pytest.mark.slow
def test_a_missing_class_shows(extractor, mnist_test):
    # Alternately, because the second half of the test images is of other writers.
    real, others, labels = mnist_test.images[::2], mnist_test.images[1::2], mnist_test.labels[1::2]
    assert _frechet(extractor, real, others[labels != 3]) > 1.4 * _frechet(extractor, real, others)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (64, 64, 3), (128, 128, 1)])
def test_takes_every_shape(extractor, shape):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    embedding = extractor.embed(images)
    assert embedding.features.shape == (3, 64)
    assert embedding.probabilities is None
    assert len(np.unique(embedding.features)) > 150


def test_weights_never_change(extractor, digits):
    before = extractor.embed(digits[0][:5]).features
    random_extractor._extractor.cache_clear()
    again = features.load("random")
    assert again.digest == extractor.digest
    np.testing.assert_array_equal(again.embed(digits[0][:5]).features, before)


def test_is_known_by_name(extractor):
    assert (extractor.name, extractor.trained_on, extractor.accuracy) == ("random", "", None)
    assert len(extractor.digest) == 64
    assert extractor.digest != features.load("mnist").digest
