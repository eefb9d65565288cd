import numpy as np
import pytest

from dcgan.detector.fakes import holdout_generators
from dcgan.model import DCGAN
from tuning.detector_objective import Detection


@pytest.fixture
def detection(make_config, monkeypatch):
    """A test against fakes that are black."""

    def black(reals, *, count, seed):
        return np.zeros((count, *reals.shape[1:]), np.uint8)

    for name in ("pca_mixture", "variational_autoencoder"):
        monkeypatch.setattr(holdout_generators, name, black)
    return Detection(make_config().base, steps=2)


@pytest.mark.slow
def test_it_measures_what_a_discriminator_is_worth(detection, make_config, deterministic):
    model = DCGAN.from_preset(make_config().base)
    before = [weight.numpy() for weight in model.discriminator.weights]
    assert 0 <= detection.measure(model) <= 1
    for weight, former in zip(model.discriminator.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), former)
