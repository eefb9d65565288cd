import pathlib
import runpy
import shutil

import pytest

import documents
from dcgan import presets
from dcgan.detector import certificate, run_fitting
from dcgan.detector.delivery import named_deliveries
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.evaluation import run_evaluation
from dcgan.detector.fakes import fake_collection, holdouts
from dcgan.detector.fakes.fake_pool import FakePool, Fakes

_NETWORK = {"generator_width": 2, "discriminator_width": 2, "max_width": 4, "mapping_units": 4}
_DELIVERIES = ("as they are", "jpeg 75")


# Folders that guides take for granted, and how many pictures each has.
_FOLDERS = {"photos": 200, "diffusion-pictures": 30, "site-pictures": 100}


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A directory with these folders."""
    path = tmp_path_factory.mktemp("drawn")
    script = runpy.run_path(str(documents.ROOT / "docs" / "examples" / "make_photos.py"))
    for seed, (name, count) in enumerate(_FOLDERS.items()):
        script["main"](path / name, count, seed)
    return path


@pytest.fixture
def photos(run_cli, drawn):
    """The folder `photos`, beside the others in the working directory, which is `run_cli`'s."""
    shutil.copytree(drawn, ".", dirs_exist_ok=True)
    return pathlib.Path("photos")


@pytest.fixture
def small_presets(monkeypatch):
    """Makes each preset's networks tiny, and its training one epoch."""
    for name, preset in presets.PRESETS.items():
        network = {**preset.get("network", {}), **_NETWORK, "head_units": 4}
        training = {**preset.get("training", {}), "epochs": 1}
        monkeypatch.setitem(presets.PRESETS, name, {"network": network, "training": training})


@pytest.fixture
def quick_detector(monkeypatch):
    """Replaces all generators by arithmetic and makes the detector's training short."""

    def collect(inputs, config, *, progress):
        progress("fakes", 1.0)
        reals = inputs.reals.train
        return FakePool.join(
            [
                Fakes("gan-own", "gan", reals[:60] // 2),
                Fakes("autoencoder-x", "autoencoder", reals[60:120] // 4 * 4),
            ]
        )

    class Short(DetectorConfig):
        @classmethod
        def for_run(cls, config, **values):
            del values["images"]
            return DetectorConfig(
                steps=2, fold_steps=1, familiarity_steps=2, batch_size=8, width=2, **values
            )

    monkeypatch.setattr(fake_collection, "collect_fakes", collect)
    monkeypatch.setattr(run_fitting, "DetectorConfig", Short)
    draws = {
        "VAE": lambda config, reals, *_: reals[:20] // 3,
        "GAN, other seed": lambda config, reals, *_: reals[:20] // 2,
    }
    monkeypatch.setattr(holdouts, "_DRAWS", draws)
    monkeypatch.setattr(run_evaluation, "_REALS", 40 / DetectorConfig.pool_size)
    for name in set(named_deliveries.NAMED) - set(_DELIVERIES):
        monkeypatch.delitem(named_deliveries.NAMED, name)
    monkeypatch.setattr(certificate, "CERTIFIED", _DELIVERIES)


@pytest.fixture
def reader(run_cli, photos):
    """Follows documents in a directory that has nothing but folders of pictures."""
    return documents.Reader(run_cli)
