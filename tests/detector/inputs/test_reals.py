import numpy as np
import pytest

from dcgan.config import NetworkConfig, RunConfig
from dcgan.detector.inputs.reals import Reals
from dcgan.errors import InputError


@pytest.fixture
def config(tmp_path):
    """Makes a run's configuration over so many images that all differ."""

    def make(count, split="train"):
        images = np.random.default_rng(0).integers(0, 256, (count, 28, 28, 1), np.uint8)
        np.savez(tmp_path / "images.npz", images=images)
        return RunConfig(data=str(tmp_path / "images.npz"), split=split, network=NetworkConfig())

    return make


def _keys(images):
    return {image.tobytes() for image in images}


@pytest.mark.parametrize(
    ("split", "sizes"),
    [("train", (180, 10, 10)), ("train[:50%]", (90, 10, 10)), ("all", (160, 20, 20))],
)
def test_parts_share_no_image(config, split, sizes):
    reals = Reals.load(config(200, split))
    parts = [reals.train, reals.calibration, reals.test]
    assert tuple(len(part) for part in parts) == sizes
    assert len(set().union(*map(_keys, parts))) == sum(sizes)


def test_calibration_and_test_are_drawn_alike():
    reals = Reals.load(RunConfig(data="mnist"))
    assert [len(part) for part in (reals.train, reals.calibration, reals.test)] == [60_000, 5_000, 5_000]
    # MNIST's first 5,000 test images are cleaner than the others: halves in order would differ.
    means = [np.asarray(part).mean() for part in (reals.calibration, reals.test)]
    assert abs(means[0] - means[1]) < 1.0


def test_too_few_images(config):
    with pytest.raises(InputError, match="at least 10 images to learn from and as many to test on"):
        Reals.load(config(30))


def test_labels_to_learn_with_stay_with_their_images(tmp_path):
    images = np.arange(200, dtype=np.uint8).reshape(-1, 1, 1, 1) * np.ones((28, 28, 1), np.uint8)
    np.savez(tmp_path / "labelled.npz", images=images, labels=np.arange(200) + 7)
    reals = Reals.load(RunConfig(data=str(tmp_path / "labelled.npz"), network=NetworkConfig()))
    np.testing.assert_array_equal(reals.train_labels, reals.train[:, 0, 0, 0].astype(int) + 7)
