import dataclasses

import numpy as np
import pytest

from dcgan import presets
from dcgan.config import RunConfig, TrainingConfig
from dcgan.detector import DetectorConfig, Reals, RunInputs
from dcgan.detector.fakes import continuations, own_generator
from dcgan.model import DCGAN


@pytest.fixture
def inputs(tiny_network, tmp_path):
    """What a run with an untrained model provides."""
    reals = np.zeros((40, 28, 28, 1), np.uint8)
    training = TrainingConfig(generator_learning_rate=1e-3, discriminator_learning_rate=2e-3)
    config = presets.override(RunConfig(network=tiny_network, training=training), seed=3)
    model = DCGAN.from_preset(config)
    return RunInputs(config, model, Reals(reals, reals, reals), tmp_path)


def test_as_it_is_where_nothing_was_kept(inputs):
    (fakes,) = own_generator.draw_own(inputs, count=9, seed=0)
    assert (fakes.generator, fakes.family, len(fakes.images)) == (own_generator.NAME, "gan", 9)
    again, other = (own_generator.draw_own(inputs, count=9, seed=seed)[0].images for seed in (0, 1))
    np.testing.assert_array_equal(fakes.images, again)
    assert (fakes.images != other).any()


def test_a_third_as_it_was_in_the_second_half_of_its_training(inputs):
    for epoch in range(1, 5):
        images = np.full((2, 28, 28, 1), epoch, np.uint8)
        np.savez(inputs.replay / f"epoch_{epoch}.npz", images=images)
    now, earlier = own_generator.draw_own(inputs, count=9, seed=0)
    assert (len(now.images), len(earlier.images)) == (6, 3)
    assert earlier.generator == "gan-own-earlier"
    assert set(earlier.images.ravel()) == {3, 4}


def test_continuations_start_where_the_run_ended_and_leave_it(inputs):
    before = inputs.model.get_weights()
    config = DetectorConfig(continuation_steps=4, seed=5)
    gans = list(continuations.continue_own(inputs, config, count=31))
    assert [gan.name for gan in gans] == [each.name for each in continuations.CONTINUATIONS]
    assert len({gan.seed for gan in gans}) == len(gans)
    for gan in gans:
        assert gan.model is not inputs.model
        assert (gan.count, gan.steps, gan.warm_up) == (31 // len(gans), 4, 0)
        assert gan.model.ema_decay <= 0.98
        for a, b in zip(before, gan.model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    gans[0].model.generator.set_weights([0 * w for w in gans[0].model.generator.get_weights()])
    for a, b in zip(before, inputs.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_continuations_go_on_in_ways_of_their_own():
    training = TrainingConfig(
        loss="non_saturating",
        label_smoothing=0.1,
        generator_learning_rate=1e-3,
        discriminator_learning_rate=2e-3,
    )
    hinge, squares, faster = (each.configure(training) for each in continuations.CONTINUATIONS)
    assert (hinge.loss, squares.loss, faster.loss) == ("hinge", "least_squares", "non_saturating")
    assert hinge == dataclasses.replace(training, loss="hinge", label_smoothing=0.0)
    assert faster.generator_learning_rate == pytest.approx(2e-3)
    assert faster.discriminator_learning_rate == pytest.approx(3e-3)


def test_the_second_half_of_a_training_is_told_by_numbers(inputs):
    for epoch in (998, 999, 1000, 1001):
        images = np.full((2, 28, 28, 1), epoch - 900, np.uint8)
        np.savez(inputs.replay / f"epoch_{epoch}.npz", images=images)
    _, earlier = own_generator.draw_own(inputs, count=9, seed=0)
    assert set(earlier.images.ravel()) == {100, 101}
