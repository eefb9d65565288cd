import keras
import numpy as np
import pytest

from dcgan import presets
from dcgan.config import RunConfig
from dcgan.detector import DetectorConfig, Reals, RunInputs
from dcgan.detector.fakes import zoo
from dcgan.detector.fit_progress import FitProgress


def test_members_differ_in_loss_and_upsampler():
    assert len({member.loss for member in zoo.MEMBERS}) == len(zoo.MEMBERS)
    assert len({member.upsampling for member in zoo.MEMBERS}) == len(zoo.MEMBERS)


@pytest.fixture
def small(monkeypatch, tiny_network):
    """Makes members of the smallest networks."""
    configure = zoo._configure

    def shrunk(member, config, *, seed):
        whole = configure(member, config, seed=seed)
        return presets.override(
            whole,
            network={"generator_width": 4, "discriminator_width": 4, "max_width": 4, "latent_dim": 4},
            training={"batch_size": 8},
        )

    monkeypatch.setattr(zoo, "_configure", shrunk)
    return RunConfig(network=tiny_network)


def test_draws_while_it_learns(small, tmp_path):
    reals = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), np.uint8)
    shares = []
    progress = FitProgress(lambda stage, share: shares.append((stage, share)), "zoo", part=1, parts=2)
    silent = keras.callbacks.Callback()
    inputs = RunInputs(small, None, Reals(reals, reals, reals), tmp_path)
    config = DetectorConfig(zoo_steps=8)
    fakes = zoo.draw_zoo(inputs, config, count=30, callbacks=[progress, silent, silent])
    assert shares == [("zoo", 0.5 + step / 16) for step in range(1, 9)]
    assert [part.generator for part in fakes] == [member.name for member in zoo.MEMBERS]
    for part in fakes:
        assert (part.images.shape, part.images.dtype) == ((10, 28, 28, 1), np.uint8)
        # From four times of the training, other images each.
        assert len(np.unique(part.images.reshape(10, -1), axis=0)) == 10


def test_takes_over_the_shape_and_nothing_else():
    run = presets.get("rgb32")
    config = zoo._configure(zoo.MEMBERS[1], run, seed=7)
    assert (config.network.image_size, config.network.channels) == (32, 3)
    assert config.network.upsampling == "bilinear"
    assert config.training.loss == "least_squares"
    assert config.seed == 7
