import numpy as np
import pytest

from dcgan import data
from dcgan import features as judges
from dcgan.features import Judge
from dcgan.metrics import Embedding


@pytest.fixture(scope="session")
def normal_features():
    """Two sets of correlated normal features, shapes (300, 16) and (250, 16)."""
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(16, 16))
    real = rng.normal(size=(300, 16)) @ mix / 4
    fake = rng.normal(size=(250, 16)) @ mix / 5 + 0.3
    return real, fake


@pytest.fixture(scope="session")
def class_probabilities():
    """Probabilities of 10 classes for 250 images, uneven over classes."""
    rng = np.random.default_rng(1)
    probabilities = np.exp(2 * rng.normal(size=(250, 10)) + np.linspace(0, 2, 10))
    return probabilities / probabilities.sum(axis=1, keepdims=True)


@pytest.fixture(scope="session")
def mnist_judge():
    return judges.load("mnist")


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
def block_judge():
    """A judge of 8-pixel images without a network."""
    return Judge(name="blocks", extract=_rows_and_columns, image_shape=(8, 8, 1), digest="blocks-1")


@pytest.fixture(scope="session")
def make_pixels():
    """Makes uint8 images of shape (count, size, size, 1)."""

    def make(count, *, size=8, seed=0, brightest=256):
        rng = np.random.default_rng(seed)
        return rng.integers(0, brightest, (count, size, size, 1), dtype=np.uint8)

    return make
