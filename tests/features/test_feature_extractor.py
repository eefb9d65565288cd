import numpy as np
import pytest

from dcgan import images as pixels
from dcgan.features import FeatureExtractor
from dcgan.metrics import Embedding


def test_embeds_in_batches_and_in_order(make_pixels):
    sizes = []

    def extract(images):
        sizes.append(len(images))
        return images[:, 0, :2, 0]

    images = make_pixels(1203)
    embedding = FeatureExtractor(name="corner", extract=extract).embed(images)
    np.testing.assert_array_equal(embedding.features, images[:, 0, :2, 0])
    assert embedding.features.dtype == np.float64
    assert embedding.probabilities is None
    assert sizes == [500, 500, 203]


def test_probabilities_become_float64(block_extractor, make_pixels):
    def extract(images):
        found = block_extractor.extract(images)
        return Embedding(found.features.astype("f4"), found.probabilities.astype("f4"))

    found = FeatureExtractor(name="blocks", extract=extract).embed(make_pixels(600))
    assert found.features.dtype == found.probabilities.dtype == np.float64
    assert found.probabilities.shape == (600, 2)


def test_floats_reach_the_extractor_as_the_uint8_they_stand_for(make_pixels):
    seen = []

    def extract(images):
        seen.append(images)
        return images.reshape(len(images), -1)

    images = make_pixels(5)
    FeatureExtractor(name="flat", extract=extract).embed(pixels.to_float(images))
    assert seen[0].dtype == np.uint8
    np.testing.assert_array_equal(seen[0], images)


def test_accuracy(block_extractor):
    images = np.zeros((10, 8, 8, 1), np.uint8)
    images[:4] = 255
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 0])
    assert block_extractor.measure_accuracy(images, labels) == 0.8


def test_accuracy_needs_classes(make_pixels):
    extractor = FeatureExtractor(name="corner", extract=lambda images: images[:, 0, :, 0])
    with pytest.raises(ValueError, match="a feature extractor with classes"):
        extractor.measure_accuracy(make_pixels(3), np.zeros(3))


@pytest.mark.parametrize("shape", [(5, 8, 8), (5, 9, 8, 1), (5, 8, 8, 3), (0, 8, 8, 1)])
def test_rejects_other_images(block_extractor, shape):
    with pytest.raises(ValueError, match=r"shape \(count, 8, 8, 1\) for the extractor blocks"):
        block_extractor.embed(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    "extract", [lambda images: images.mean(axis=(1, 2, 3)), lambda images: images[1:, 0, :, 0]]
)
def test_rejects_an_extractor_that_gives_no_features(make_pixels, extract):
    extractor = FeatureExtractor(name="mean", extract=extract)
    with pytest.raises(ValueError, match=r"shape \(3, dim\)"):
        extractor.embed(make_pixels(3))
