import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from dcgan.data import load_images
from dcgan.data.sources import bundled_mnist


def test_train():
    loaded = load_images("mnist")
    assert loaded.images.shape == (60000, 28, 28, 1)
    assert loaded.images.dtype == np.uint8
    assert loaded.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(loaded.labels).tolist()[:2] == [5923, 6742]
    assert round(float(loaded.images.mean()), 4) == 33.3184
    assert (loaded.name, loaded.split, loaded.skipped) == ("mnist", "train", 0)
    assert loaded.class_names == tuple("0123456789")


def test_test():
    loaded = load_images("mnist", split="test")
    assert loaded.images.shape == (10000, 28, 28, 1)
    assert loaded.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_all_is_train_then_test():
    loaded = load_images("mnist", split="all")
    assert len(loaded.images) == 70000
    np.testing.assert_array_equal(loaded.labels[60000:60003], [7, 2, 1])


def test_is_fast():
    started = time.process_time()
    load_images("mnist")
    assert time.process_time() - started < 1


@pytest.mark.slow
def test_needs_no_tensorflow_datasets():
    code = (
        "import sys; from dcgan import data; data.load_images('mnist', split='test'); "
        "sys.exit('tensorflow_datasets' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_damaged_file_is_named(tmp_path, monkeypatch, refused):
    shutil.copytree(bundled_mnist._FOLDER, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(bundled_mnist, "_FOLDER", tmp_path)
    shutil.copy(tmp_path / "train-labels-idx1-ubyte.gz", tmp_path / "t10k-labels-idx1-ubyte.gz")
    refused(
        lambda: load_images("mnist", split="test"),
        tmp_path / "t10k-labels-idx1-ubyte.gz",
        "MD5 27ae3e4e09519cfbb04c329615203637",
    )
