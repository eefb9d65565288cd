import contextlib
import shutil

import keras
import numpy as np
import PIL.Image
import pytest

from dcgan import presets
from dcgan.config import NetworkConfig, RunConfig
from dcgan.detector import certificate, run_fitting, start
from dcgan.detector.delivery import named_deliveries
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_model import Detector
from dcgan.detector.evaluation import run_evaluation
from dcgan.detector.fakes import fake_collection, holdouts
from dcgan.detector.fakes.fake_pool import FakePool, Fakes
from dcgan.detector.fitting import detector_fitting
from dcgan.detector.inputs.reals import Reals
from dcgan.detector.start import start_files
from dcgan.model import DCGAN
from dcgan.runs.run_directory import RunDirectory

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
    return detector_fitting.fit(discriminator, pool, reals, config=config)


@pytest.fixture(scope="session")
def small_start_file(tmp_path_factory):
    """A start of a sixteenth of the weights, at random."""
    keras.utils.clear_session(free_memory=False)
    path = tmp_path_factory.mktemp("start") / "start.npz"
    start.save_start(start.build_start_network((16, 16, 3), width=8), path)
    return path


@pytest.fixture
def small_start(small_start_file, monkeypatch):
    monkeypatch.setattr(start_files, "WEIGHTS", small_start_file)


@pytest.fixture(scope="session")
def quick(small_start_file):
    """Makes colour runs quick: a small start, arithmetic as generators, few deliveries and steps."""

    @contextlib.contextmanager
    def replace():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(start_files, "WEIGHTS", small_start_file)
            patch.setattr(fake_collection, "collect_fakes", _collect)
            patch.setattr(run_fitting, "DetectorConfig", _Short)
            patch.setattr(holdouts, "_DRAWS", {"VAE": lambda config, reals, *_: reals[:20] // 3})
            patch.setattr(run_evaluation, "_REALS", 40 / DetectorConfig.pool_size)
            for name in set(named_deliveries.NAMED) - {"as they are", "jpeg 75"}:
                patch.delitem(named_deliveries.NAMED, name)
            patch.setattr(certificate, "CERTIFIED", ("as they are", "jpeg 75"))
            yield

    return replace


@pytest.fixture
def quick_generators(quick):
    with quick():
        yield


def _collect(inputs, config, *, progress):
    reals = inputs.reals.train
    autoencoder = Fakes("autoencoder-x", "autoencoder", reals[60:120] // 4 * 4)
    return FakePool.join([Fakes("gan-own", "gan", reals[:60] // 2), autoencoder])


class _Short(DetectorConfig):
    @classmethod
    def for_run(cls, config, **values):
        del values["images"]
        return DetectorConfig(steps=1, fold_steps=1, familiarity_steps=1, batch_size=8, **values)


def _photos(count, seed):
    """Smooth colours with a little noise, shape (count, 16, 16, 3), uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (count, 4, 4, 3)).repeat(4, axis=1).repeat(4, axis=2)
    return (coarse + rng.integers(-9, 10, coarse.shape)).astype(np.uint8)


@pytest.fixture(scope="session")
def photos():
    return _photos


@pytest.fixture(scope="session")
def colour_run(tmp_path_factory):
    """A run of JPEGs with an untrained model and no detector; not to be changed."""
    keras.utils.clear_session(free_memory=False)
    root = tmp_path_factory.mktemp("colour")
    (root / "photos").mkdir()
    for number, photo in enumerate(_photos(400, 0)):
        PIL.Image.fromarray(photo).save(root / "photos" / f"{number:03d}.jpg", quality=75)
    network = NetworkConfig(
        image_size=16, channels=3, latent_dim=4, generator_width=4, discriminator_width=4, max_width=4
    )
    config = RunConfig(data=str(root / "photos"), network=network)
    run = RunDirectory(root / "run")
    config.save(run.config)
    DCGAN.from_preset(presets.override(config)).save(run.model)
    return run


@pytest.fixture(scope="session")
def colour_fitted(colour_run, quick, tmp_path_factory):
    """The same run with a detector, and what was fitted; not to be changed."""
    run = RunDirectory(tmp_path_factory.mktemp("fitted") / "run")
    shutil.copytree(colour_run.path, run.path)
    with quick():
        return run, run_fitting.fit_run(run, false_positive_rate=0.2)
