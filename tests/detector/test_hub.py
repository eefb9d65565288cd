"""Models saved to and loaded from the Hugging Face Hub by Keras; a directory stands in for the hub."""

import pathlib
import shutil
import subprocess
import sys
import types

import keras
import numpy as np
import pytest

from dcgan import detector as detectors
from dcgan.detector import detector_files
from dcgan.model import DCGAN

huggingface_hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not here")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A directory in place of the hub, with a folder for each repository."""

    class Api:
        def __init__(self, **options):
            assert options["library_name"] == "keras"

        def create_repo(self, repo_id, *, exist_ok):
            (tmp_path / repo_id).mkdir(parents=True, exist_ok=exist_ok)
            return types.SimpleNamespace(repo_id=repo_id)

        def upload_folder(self, *, repo_id, folder_path, commit_message):
            shutil.copytree(folder_path, tmp_path / repo_id, dirs_exist_ok=True)

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda *, repo_id, **options: str(tmp_path / repo_id)
    )
    return tmp_path


def test_a_gan(hub, make_gan):
    model = make_gan(ema_decay=0.9).compile(loss="hinge", r1_gamma=0.0)
    model.save("hf://somebody/digits")
    loaded = keras.saving.load_model("hf://somebody/digits")
    assert type(loaded) is DCGAN
    np.testing.assert_array_equal(loaded.generate(3), model.generate(3))
    assert loaded.compiled


def test_a_detector_and_its_card(hub, make_detector, spots):
    detector = make_detector()
    detector.save("hf://somebody/detector")
    loaded = keras.saving.load_model("hf://somebody/detector")
    assert type(loaded) is detectors.Detector
    expected = detector.score(spots(3, 1))["p_fake"]
    np.testing.assert_array_equal(loaded.score(spots(3, 1))["p_fake"], expected)
    assert (hub / "somebody" / "detector" / "README.md").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dcgan", "detector"])
def test_another_process_needs_one_import(tmp_path, make_gan, make_detector, kind):
    path = tmp_path / f"{kind}.keras"
    if kind == "dcgan":
        make_gan().save(path)
    else:
        detector_files.save(make_detector(), path)
    name = {"dcgan": "DCGAN", "detector": "detector"}[kind]
    code = f"import keras; from dcgan import {name}; print(keras.saving.load_model({str(path)!r}).name)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=pathlib.Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
