import contextlib
import pathlib
import runpy
import shutil

import numpy as np
import pytest

import dcgan
import documents
import export
import quick_detection
import tuning
from dcgan import presets
from tuning import space

_NETWORK = {"generator_width": 2, "discriminator_width": 2, "max_width": 4, "mapping_units": 4}
_SMALL_SPACE = {"generator_width": 2, "discriminator_width": 2, "latent_dim": [4, 8], "batch_size": 64}
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


def _shrink_presets(monkeypatch, **run):
    for name, preset in presets.PRESETS.items():
        network = {**preset.get("network", {}), **_NETWORK, "head_units": 4}
        training = {**preset.get("training", {}), "epochs": 1}
        monkeypatch.setitem(presets.PRESETS, name, {"network": network, "training": training, **run})


@pytest.fixture
def small_presets(monkeypatch):
    """Makes each preset's networks tiny, and its training one epoch."""
    _shrink_presets(monkeypatch)


@pytest.fixture
def quick_detector():
    """Fits and evaluates quickly."""
    with quick_detection.replaced(*_DELIVERIES, steps=2, familiarity_steps=2, width=2):
        yield


@pytest.fixture
def reader(run_cli, photos):
    """Follows documents in a directory that has nothing but folders of pictures."""
    return documents.Reader(run_cli)


@pytest.fixture(scope="session")
def digits():
    """1,000 digits with their labels."""
    return dcgan.load_images("mnist", split="test[:1000]")


@contextlib.contextmanager
def _small_work(path):
    """Makes runs small, of the digits in a directory, and trains and searches quickly."""
    with pytest.MonkeyPatch.context() as patch:
        _shrink_presets(patch, data=str(path / "digits.npz"))
        for name, parameter in tuning.Space().change(**_SMALL_SPACE).parameters.items():
            patch.setitem(space._DEFAULT, name, parameter)
        with quick_detection.replaced(*_DELIVERIES, steps=2, familiarity_steps=2):
            yield


def _publish(run):
    export.validate_model(export.export_model(run), run)
    export.push_model(run)


@pytest.fixture(scope="session")
def finished_work(tmp_path_factory, drawn, digits):
    """What docs/reference/index.md says that the examples of docstrings find in their directory."""
    path = tmp_path_factory.mktemp("finished")
    np.savez(path / "digits.npz", images=digits.images)
    shutil.copytree(drawn / "photos", path / "photos")
    shutil.copytree(drawn / "diffusion-pictures", path / "fakes" / "diffusion")
    with contextlib.chdir(path), _small_work(path):
        config = presets.get("mnist")
        dcgan.train(config, "runs/mnist")
        _publish("runs/mnist")
        fitted = dcgan.detector.fit_run("runs/mnist")
        dcgan.detector.evaluate_run("runs/mnist", fitted)
        dcgan.evaluate("runs/mnist")
        _publish("runs/mnist")
        search = tuning.SearchConfig(base=config, algorithm="random", epochs=1)
        tuning.search(search, "runs/tune", budget=tuning.Budget(trials=1))
    return path


@pytest.fixture
def work(finished_work, tmp_path, monkeypatch):
    """A copy of it as working directory, where trainings are small."""
    shutil.copytree(finished_work, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    with _small_work(finished_work):
        yield tmp_path / "work"
