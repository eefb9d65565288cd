import pathlib
import runpy
import shutil

import pytest

import documents
import quick_detection
from dcgan import presets

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
def quick_detector():
    """Fits and evaluates quickly."""
    with quick_detection.replaced(*_DELIVERIES, steps=2, familiarity_steps=2, width=2):
        yield


@pytest.fixture
def reader(run_cli, photos):
    """Follows documents in a directory that has nothing but folders of pictures."""
    return documents.Reader(run_cli)
