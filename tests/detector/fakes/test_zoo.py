import numpy as np
import pytest

from dcgan import presets
from dcgan.config import RunConfig
from dcgan.detector import DetectorConfig, Reals, RunInputs
from dcgan.detector.fakes import zoo


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


def test_members_are_built_one_after_the_other(small, tmp_path):
    reals = np.zeros((40, 28, 28, 1), np.uint8)
    inputs = RunInputs(small, None, Reals(reals, reals, reals), tmp_path)
    gans = list(zoo.build_zoo(inputs, DetectorConfig(zoo_steps=8, seed=2), count=31))
    assert [gan.name for gan in gans] == [member.name for member in zoo.MEMBERS]
    assert {(gan.count, gan.steps, gan.warm_up, gan.batch_size) for gan in gans} == {(10, 8, 4, 8)}
    assert [gan.seed for gan in gans] == [201, 202, 203]
    for gan in gans:
        rate = gan.model.generator_optimizer.get_config()["learning_rate"]["config"]
        assert rate["decay_steps"] == 8


def test_takes_over_the_shape_and_nothing_else():
    run = presets.get("rgb32")
    config = zoo._configure(zoo.MEMBERS[1], run, seed=7)
    assert (config.network.image_size, config.network.channels) == (32, 3)
    assert config.network.upsampling == "bilinear"
    assert config.training.loss == "least_squares"
    assert config.seed == 7
