import keras
import numpy as np
import pytest

from dcgan.detector.fakes import reconstructions
from dcgan.detector.fakes.reconstructions import Rebuilder

pytestmark = pytest.mark.slow

SET = (
    Rebuilder("transpose", 2),
    Rebuilder("shuffle", 8, flat=True),
    Rebuilder("nearest", 16, noise=(0.1, 0.5)),
)


def test_names_are_unique():
    names = [rebuilder.name for rebuilder in reconstructions.REBUILDERS]
    assert len(set(names)) == len(names)
    assert {rebuilder.family for rebuilder in reconstructions.REBUILDERS} == {"autoencoder", "denoiser"}
    upsamplers = {rebuilder.upsampling for rebuilder in reconstructions.REBUILDERS}
    assert upsamplers == {"transpose", "nearest", "bilinear", "shuffle"}


@pytest.fixture(scope="module")
def rebuilt(spots):
    steps = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    fakes = reconstructions.rebuild(
        spots(300, 0), count=60, steps=100, seed=1, rebuilders=SET, callback=count
    )
    return fakes, steps


def test_each_rebuilds_reals(rebuilt, spots):
    fakes, steps = rebuilt
    assert len(steps) == 100
    assert [(part.generator, part.family) for part in fakes] == [
        ("autoencoder-transpose-2", "autoencoder"),
        ("autoencoder-shuffle-8", "autoencoder"),
        ("denoiser-nearest-16", "denoiser"),
    ]
    reals = spots(300, 0).reshape(300, -1).astype(float)
    for images in (part.images for part in fakes):
        assert (images.shape, images.dtype) == ((20, 12, 12, 1), np.uint8)
        flat = images.reshape(20, 1, -1).astype(float)
        nearest = np.abs(flat - reals).mean(axis=-1).min(axis=1)
        # An image of zeros would be off by about 25.
        assert np.median(nearest) < 12


def test_they_are_not_the_reals_themselves(rebuilt, spots):
    reals = {image.tobytes() for image in spots(300, 0)}
    for part in rebuilt[0]:
        assert not any(image.tobytes() in reals for image in part.images)


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3)])
@pytest.mark.parametrize("rebuilder", SET, ids=lambda rebuilder: rebuilder.name)
def test_shapes(rebuilder, size, channels):
    network = reconstructions._build(rebuilder, (size, size, channels), seed=0)
    assert network(np.zeros((2, size, size, channels), np.float32)).shape == (2, size, size, channels)


def test_a_denoiser_sees_noise_of_many_strengths(spots):
    workshop = reconstructions._Workshop((SET[2],), (12, 12, 1), seed=0)
    plain = np.zeros((200, 12, 12, 1), np.float32)
    spread = workshop.disturb(SET[2], plain).numpy().std(axis=(1, 2, 3))
    assert 0.08 < spread.min() < 0.15
    assert 0.35 < spread.max() < 0.6
    np.testing.assert_array_equal(workshop.disturb(SET[0], plain), plain)
