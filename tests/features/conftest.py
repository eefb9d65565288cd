import numpy as np
import pytest

from dcgan import data, features
from dcgan.features import FeatureExtractor
from dcgan.metrics import Embedding


@pytest.fixture(scope="session")
def mnist_extractor():
    return features.load("mnist")


@pytest.fixture(scope="session")
def mnist_test():
    return data.load_images("mnist", split="test")


def _rows_and_columns(images):
    """Features: mean brightness of 4 blocks. Probabilities: of two classes, by brightness."""
    scaled = images / 255.0
    left, right = scaled[:, :, :4], scaled[:, :, 4:]
    halves = [left[:, :4], left[:, 4:], right[:, :4], right[:, 4:]]
    features = np.stack([half.mean(axis=(1, 2, 3)) for half in halves], axis=1)
    bright = features.mean(axis=1)
    return Embedding(features, np.stack([bright, 1 - bright], axis=1))


@pytest.fixture
def block_extractor():
    """A feature extractor of 8-pixel images without a network."""
    return FeatureExtractor(
        name="blocks", extract=_rows_and_columns, image_shape=(8, 8, 1), digest="blocks-1"
    )


@pytest.fixture(scope="session")
def make_pixels():
    """Makes uint8 images of shape (count, size, size, 1)."""

    def make(count, *, size=8, seed=0, brightest=256):
        rng = np.random.default_rng(seed)
        return rng.integers(0, brightest, (count, size, size, 1), dtype=np.uint8)

    return make
