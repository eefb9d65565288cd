import numpy as np
import pytest

from dcgan.detector.fakes import diffusion, holdout_generators

DRAWS = {
    "mixture": lambda reals, seed: holdout_generators.pca_mixture(reals, count=50, seed=seed),
    "vae": lambda reals, seed: holdout_generators.variational_autoencoder(
        reals, count=50, steps=40, seed=seed
    ),
    "diffusion": lambda reals, seed: diffusion.draw(
        reals, count=50, steps=80, drawing_steps=10, seed=seed
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_draws_resemble_the_reals_and_follow_the_seed(draw, spots):
    reals = spots(300, 0)
    fakes = draw(reals, 1)
    assert (fakes.shape, fakes.dtype) == ((50, 12, 12, 1), np.uint8)
    assert len(np.unique(fakes.reshape(50, -1), axis=0)) == 50
    error = np.abs(fakes.mean(axis=0) - reals.mean(axis=0)).mean()
    assert error < 0.5 * np.abs(reals.mean(axis=0) - reals.mean()).mean()
    assert (fakes != draw(reals, 2)).any()


def test_same_seed_same_mixture(spots):
    first, second = (holdout_generators.pca_mixture(spots(100, 0), count=5, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, second)
