import numpy as np
import pytest

from dcgan import data
from dcgan.detector.delivery import deliveries
from dcgan.detector.fakes import reconstructions
from dcgan.detector.fakes.fake_pool import Fakes
from dcgan.model import DCGAN
from tuning.objectives import Detection, Goal


@pytest.fixture
def detection(make_config, monkeypatch):
    """A test against black fakes."""

    def rebuild(reals, *, count, **options):
        return [Fakes("black", "autoencoder", np.zeros((count, *reals.shape[1:]), np.uint8))]

    monkeypatch.setattr(reconstructions, "rebuild", rebuild)
    return Detection(data.Partition.load(make_config().base), steps=2)


@pytest.mark.slow
def test_it_measures_what_a_discriminator_is_worth(detection, make_config, deterministic):
    model = DCGAN.from_preset(make_config().base)
    before = [weight.numpy() for weight in model.discriminator.weights]
    assert 0 <= detection.measure(model) <= 1
    for weight, former in zip(model.discriminator.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), former)


def test_it_tests_reals_and_fakes_as_they_are_delivered(make_config, monkeypatch):
    def rebuild(reals, *, count, **options):
        return [Fakes("white", "autoencoder", np.full_like(reals[:count], 255))]

    monkeypatch.setattr(reconstructions, "rebuild", rebuild)
    monkeypatch.setattr(deliveries, "random_chains", lambda images, rng: np.zeros_like(images))
    detection = Detection(data.Partition.load(make_config().base))
    assert not detection._unseen.any()
    assert not any(fakes.any() for fakes in detection._tested)


@pytest.fixture
def make_goal(make_config, noise, noise_reference):
    def make(**values):
        config = make_config(**values)
        return Goal(config, noise_reference, data.Partition.load(config.base, noise))

    return make


def test_where_more_is_better_so_is_the_median(make_goal):
    goal = make_goal(objective="detector_auroc")
    assert goal.better(0.9, 0.8)
    assert not goal.better(0.8, 0.9)


def test_a_generator_that_learned_nothing_scores_worse_than_reals(make_goal, noise):
    goal = make_goal()
    reals = goal._distances(noise.images[:100] / np.float32(127.5) - 1)
    assert all(goal.worst[name] > value for name, value in reals.items())
    failed = goal.failure("why")
    assert (failed.score, failed.reason) == (goal.worst["val_frechet_distance"], "why")
