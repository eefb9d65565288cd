"""`dcgan train` from each kind of data, and what a run of one epoch leaves."""

import csv
import pathlib

import imageio.v3 as imageio
import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds

from dcgan.config import RunConfig, TrainingConfig

pytestmark = pytest.mark.usefixtures("eager")

FASHION_MNIST = pathlib.Path("/usr/share/datasets/fashion-mnist")


class DcganTestShapes(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Twenty grey images of 20 pixels; once prepared, its files alone are the set."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"image": tfds.features.Image(shape=(20, 20, 1))}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 20, 1), np.uint8)
        for index, image in enumerate(pixels):
            yield index, {"image": image}


@pytest.fixture
def tiny(tmp_path, tiny_network):
    """The options of one epoch of the smallest 28-pixel networks."""
    training = TrainingConfig(batch_size=8, epochs=1, checkpoint_every=1)
    RunConfig(preset="article", network=tiny_network, training=training).save(tmp_path / "tiny.json")
    return ["--config", tmp_path / "tiny.json"]


@pytest.fixture
def train(run_cli, tmp_path, deterministic):
    """Runs `dcgan train` and returns the run's directory."""

    def train(data, *options):
        code, _, err = run_cli("train", "--data", data, "--out", tmp_path / "run", *options)
        assert code == 0, err
        return tmp_path / "run"

    return train


def assert_one_epoch(run, *, data, sheet, image):
    """Checks a run's files.

    Args:
        run: Its directory.
        data: What `config.json` names as its data.
        sheet: The shape of the picture of sixteen samples.
        image: The shape of one sample.
    """
    assert RunConfig.load(run / "config.json").data == str(data)
    assert [path.name for path in (run / "samples").iterdir()] == ["epoch_001.png"]
    samples = imageio.imread(run / "samples" / "epoch_001.png")
    assert (samples.shape, samples.dtype) == (sheet, np.uint8)
    assert samples.std() > 0
    frames = imageio.imread(run / "progress.gif", index=None)
    assert frames.shape[:3] == (1, *sheet[:2])
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1"]
    assert all(np.isfinite(float(value)) for value in rows[0].values())
    drawn = keras.models.load_model(run / "dcgan.keras").generate(3)
    assert (drawn.shape, drawn.dtype) == ((3, *image), np.float32)
    assert np.abs(drawn).max() <= 1


@pytest.mark.slow
def test_a_folder_of_idx_files(train, tiny, tmp_path, write_idx, noise):
    folder = tmp_path / "fashion"
    folder.mkdir()
    for prefix, count in (("train", 24), ("t10k", 8)):
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", noise(count, 28, 28))
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", np.arange(count) % 10)
    run = train(folder, *tiny)
    assert_one_epoch(run, data=folder, sheet=(366, 366), image=(28, 28, 1))


@pytest.mark.slow
@pytest.mark.skipif(not FASHION_MNIST.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_fashion_mnist(train):
    run = train(FASHION_MNIST, "--epochs", "1")
    assert_one_epoch(run, data=FASHION_MNIST, sheet=(366, 366), image=(28, 28, 1))


@pytest.mark.slow
def test_a_prepared_set_by_its_name(train, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "prepared"))
    DcganTestShapes(data_dir=tmp_path / "prepared").download_and_prepare()
    run = train("dcgan_test_shapes", *tiny)
    assert_one_epoch(run, data="dcgan_test_shapes", sheet=(366, 366), image=(28, 28, 1))


@pytest.mark.slow
def test_a_folder_of_colour_images_with_rgb64(train, tmp_path, write_image, noise):
    for number in range(18):
        write_image(tmp_path / "faces" / f"{number:02}.png", noise(64, 64, 3, seed=number))
    options = ["--preset", "rgb64", "--epochs", "1", "--batch-size", "8"]
    run = train(tmp_path / "faces", *options)
    assert_one_epoch(run, data=tmp_path / "faces", sheet=(266, 266, 3), image=(64, 64, 3))
