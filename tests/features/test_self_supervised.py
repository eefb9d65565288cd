"""Whether learned features rank sets of images as a person would."""

import numpy as np
import pytest

from dcgan.features import self_supervised


@pytest.mark.parametrize("shape", [(16, 16, 1), (30, 30, 3)])
def test_takes_every_shape_and_gives_the_same_each_time(shape):
    images = np.random.default_rng(0).integers(0, 256, (64, *shape), np.uint8)
    first, again = (
        self_supervised.learn(images, name="mine", trained_on="noise:train", steps=2, batch_size=16)
        for _ in range(2)
    )
    assert (first.name, first.trained_on, first.image_shape) == ("mine", "noise:train", shape)
    assert first.digest == again.digest
    found = first.embed(images)
    assert found.probabilities is None
    assert found.features.shape == (64, 128)
    # Zero mean; the learned half counts more.
    np.testing.assert_allclose(found.features.mean(axis=0), 0, atol=1e-3)
    deviations = np.repeat([2.0, 1.0], 64)
    np.testing.assert_allclose(found.features.std(axis=0), deviations, rtol=1e-2)
