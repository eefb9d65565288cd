import numpy as np
import pytest


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
