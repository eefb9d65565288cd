import types

import fake_training
import numpy as np
import pytest
import scipy.optimize

from dcgan import features
from dcgan.config import RunConfig, TrainingConfig
from dcgan.data import ImageSet
from dcgan.features import FeatureExtractor
from tuning import SearchConfig, Space, oracles, search_report, trial_records, tuner


@pytest.fixture(scope="session")
def noise():
    """200 images of noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (200, 28, 28, 1), np.uint8)
    return ImageSet("noise", "train", pixels)


@pytest.fixture(scope="session")
def noise_file(tmp_path_factory):
    """1,200 images of noise in a file."""
    path = tmp_path_factory.mktemp("data") / "noise.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (1200, 28, 28, 1), np.uint8))
    return path


def _blocks(images):
    scaled = images / 255.0
    side = images.shape[1] // 4
    blocks = scaled.reshape(len(images), 4, side, 4, side, -1).mean(axis=(2, 4, 5))
    return blocks.reshape(len(images), -1)


@pytest.fixture(scope="session")
def make_reference():
    """Makes a reference whose extractor sees the brightness of 16 blocks."""

    def make(images, count=100):
        extractor = FeatureExtractor(name="blocks", extract=_blocks)
        return features.Reference.compute(images, extractor, fake_count=count)

    return make


@pytest.fixture(scope="session")
def noise_reference(make_reference, noise):
    """What samples are compared with where nothing depends on it."""
    return make_reference(noise.images)


@pytest.fixture(scope="session")
def make_config(tiny_network, noise_file):
    """Makes a search on noise by the smallest networks."""

    def make(**values):
        training = TrainingConfig(batch_size=8, epochs=2, ema_decay=0.9)
        base = RunConfig(preset="article", data=str(noise_file), network=tiny_network, training=training)
        fields = {"epochs": 9, "epoch_images": 16, "samples": 100, **values}
        return SearchConfig(**{"base": base, **fields})

    return make


@pytest.fixture(scope="session")
def tiny_space():
    """A space of small networks and batches."""
    return Space().change(
        latent_dim=[4, 8],
        generator_width=[2, 4],
        discriminator_width=[2, 4],
        kernel_size=3,
        batch_size=[8, 16],
    )


@pytest.fixture
def quick_process(monkeypatch):
    """A Gaussian process that is fitted and searched at random points only, which takes no time."""
    make = oracles.BayesianOracle._make_gpr

    def fit_once(self):
        return make(self).set_params(optimizer=None)

    def stay(function, x0, **options):
        return types.SimpleNamespace(x=x0, fun=function(x0)[0])

    monkeypatch.setattr(oracles.BayesianOracle, "_make_gpr", fit_once)
    monkeypatch.setattr(scipy.optimize, "minimize", stay)


@pytest.fixture
def fake(monkeypatch):
    """Takes the cost from trials, from what is tidied up between them, and from reports."""
    fake_training.install(monkeypatch.setattr)
    monkeypatch.setattr(tuner.keras.utils, "clear_session", lambda: None)
    monkeypatch.setattr(search_report, "write", trial_records.write_tables)


@pytest.fixture
def search(make_config, tiny_space, noise, noise_reference, tmp_path):
    """Searches in a directory of the test's own."""
    from tuning import search

    def run(out="search", *, config=None, **options):
        config = config or make_config()
        inputs = {"space": tiny_space, "images": noise, "reference": noise_reference}
        return search(config, tmp_path / out, **{**inputs, **options})

    return run
