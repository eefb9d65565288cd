import numpy as np
import pytest

from dcgan import presets
from dcgan.config import RunConfig
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


def test_draws_while_it_learns(small):
    reals = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), np.uint8)
    steps = []
    drawn = zoo.draw(
        zoo.MEMBERS[0], reals, count=10, config=small, steps=8, on_step=lambda: steps.append(1)
    )
    assert (drawn.shape, drawn.dtype) == ((10, 28, 28, 1), np.uint8)
    assert len(steps) == zoo.rounded(8) == 8
    # From four times of the training, other images each.
    assert len(np.unique(drawn.reshape(10, -1), axis=0)) == 10


def test_takes_over_the_shape_and_nothing_else():
    run = presets.get("rgb32")
    config = zoo._configure(zoo.MEMBERS[1], run, seed=7)
    assert (config.network.image_size, config.network.channels) == (32, 3)
    assert config.network.upsampling == "bilinear"
    assert config.training.loss == "least_squares"
    assert config.seed == 7
