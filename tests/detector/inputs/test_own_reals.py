import numpy as np
import pytest

from dcgan.config import NetworkConfig, RunConfig
from dcgan.data import ImageSet, Partition, load_images, provenance
from dcgan.detector.inputs import own_reals
from dcgan.detector.inputs.reals import Reals
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory


def _noise(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28, 1), np.uint8)


@pytest.fixture(params=["recorded", "not recorded"])
def run(tmp_path, request):
    """A run on 200 images, of which 10 are to calibrate and 10 to test on."""
    np.save(tmp_path / "a.npy", _noise(200))
    config = RunConfig(data=str(tmp_path / "a.npy"), network=NetworkConfig())
    run = RunDirectory(tmp_path / "run")
    if request.param == "recorded":
        provenance.record(run, config, Partition.load(config))
    run.claim(config)
    return run


def _refused(run, images):
    with pytest.raises(InputError) as caught:
        own_reals.check(ImageSet("mine", "all", images), run)
    message = str(caught.value)
    assert message.startswith("mine: expected different real images that the detector has not met; ")
    return message


def test_images_of_ones_own(run):
    own_reals.check(ImageSet("mine", "all", _noise(50, seed=1)), run)


def test_copies_of_one_image(run):
    copies = np.repeat(_noise(1, seed=1), 1000, axis=0)
    assert "999 of 1,000 are copies of others of them: image 1, image 2" in _refused(run, copies)


def test_blanks(run):
    images = _noise(50, seed=1)
    images[[3, 9]] = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
    assert "2 of 50 are of one colour: image 3, image 9" in _refused(run, images)


def test_an_image_of_one_colour_is_blank_whatever_the_colour(run):
    colours = np.tile(np.array([10, 20, 30], np.uint8), (2, 28, 28, 1))
    assert "2 of 2 are of one colour" in _refused(run, colours)


def test_images_that_the_run_was_trained_on(run):
    trained = load_images(run.load_config().data).images[:3]
    assert "3 of 53 were trained on: image 50, image 51, image 52" in _refused(
        run, np.concatenate([_noise(50, seed=1), trained])
    )


def test_images_that_the_detector_is_tested_on(run):
    reals = Reals.load(run.load_config())
    assert "10 of 10 are among those it is tested on" in _refused(run, reals.test)
    own_reals.check(ImageSet("mine", "all", reals.calibration), run)
