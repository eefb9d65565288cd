import keras
import numpy as np
import pytest

from dcgan.detector import fitting
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_model import Detector
from dcgan.detector.fakes.fake_pool import FakePool, Fakes
from dcgan.detector.reals import Reals

SIZE = 12


def _smooth(count, seed):
    """Reals of a kind: soft spots on black, uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE]
    centres = rng.uniform(3, 8, (count, 2, 1, 1))
    distance = (y - centres[:, 0]) ** 2 + (x - centres[:, 1]) ** 2
    return np.rint(255 * np.exp(-distance / 8)).astype(np.uint8)[..., np.newaxis]


@pytest.fixture(scope="session")
def spots():
    """Makes soft spots, shape (count, 12, 12, 1), uint8."""
    return _smooth


@pytest.fixture(scope="session")
def spoiled():
    """Makes spots with a checkerboard or with stripes, which a detector can learn to see."""

    def make(count, kind, seed):
        images = _smooth(count, seed).astype(int)
        y, x = np.mgrid[:SIZE, :SIZE]
        pattern = {"checks": (y + x) % 2, "stripes": y % 2}[kind]
        return np.clip(images + 60 * pattern[..., np.newaxis], 0, 255).astype(np.uint8)

    return make


@pytest.fixture
def make_discriminator():
    """Makes a small discriminator with batch norm."""

    def make(seed=0):
        init = keras.initializers.GlorotUniform
        return keras.Sequential(
            [
                keras.Input((SIZE, SIZE, 1)),
                keras.layers.Conv2D(4, 3, 2, "same", kernel_initializer=init(seed)),
                keras.layers.BatchNormalization(),
                keras.layers.LeakyReLU(0.2),
                keras.layers.Conv2D(6, 3, 2, "same", kernel_initializer=init(seed + 1)),
                keras.layers.LeakyReLU(0.2),
                keras.layers.Flatten(),
                keras.layers.Dense(1, kernel_initializer=init(seed + 2)),
            ]
        )

    return make


@pytest.fixture
def make_detector(make_discriminator):
    """Makes an untrained detector beside that discriminator."""

    def make(seed=0):
        return Detector.from_discriminator(make_discriminator(seed), width=4, seed=seed)

    return make


@pytest.fixture(scope="session")
def pool(spoiled):
    return FakePool.join(
        [
            Fakes("gan-a", "gan", spoiled(60, "checks", 1)),
            Fakes("gan-b", "gan", spoiled(40, "checks", 2)),
            Fakes("autoencoder-a", "autoencoder", spoiled(50, "stripes", 3)),
        ]
    )


@pytest.fixture(scope="session")
def reals(spots):
    return Reals(spots(200, 10), spots(150, 11), spots(150, 12))


@pytest.fixture(scope="session")
def config():
    return DetectorConfig(
        steps=60,
        fold_steps=20,
        familiarity_steps=60,
        batch_size=32,
        width=4,
        learning_rate=5e-3,
        false_positive_rate=0.05,
    )


@pytest.fixture(scope="session")
def fitted(pool, reals, config):
    """A detector that was fitted in a few seconds."""
    init = keras.initializers.GlorotUniform
    discriminator = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 1)),
            keras.layers.Conv2D(4, 3, 2, "same", kernel_initializer=init(0)),
            keras.layers.LeakyReLU(0.2),
            keras.layers.Flatten(),
            keras.layers.Dense(1, kernel_initializer=init(1)),
        ]
    )
    return fitting.fit(discriminator, pool, reals, config=config)
