import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan.detector.fakes import diffusion, holdout_generators
from dcgan.system import seeds


def _draw():
    layer = keras.layers.Dense(3)
    layer.build((None, 2))
    return layer.kernel.numpy()


def test_layers_of_the_same_seed_are_the_same():
    with seeds.default_seeds(1):
        first = _draw()
    with seeds.default_seeds(1):
        second = _draw()
    with seeds.default_seeds(2):
        third = _draw()
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)


@pytest.mark.slow
def test_holdout_generators_leave_the_callers_random_numbers_alone():
    """Each draw comes twice, with and without a generator made before it."""
    draws = []
    for make in (False, True):
        keras.utils.set_random_seed(5)
        if make:
            diffusion.Diffusion((8, 8, 1), width=3, seed=1)
            holdout_generators._VariationalAutoencoder((8, 8, 1), seed=1)
        draws.append((random.random(), np.random.random(), float(tf.random.uniform([]))))  # noqa: NPY002
    assert draws[0] == draws[1]


@pytest.mark.slow
def test_a_holdout_generator_follows_its_seed():
    first, second, third = (
        diffusion.Diffusion((8, 8, 1), width=3, seed=seed).network.get_weights() for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, third, strict=True))
