import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel

from dcgan.metrics import kernel_inception_distance, kid


def test_agrees_with_scikit_learns_kernel(normal_features):
    real, fake = normal_features
    within_real, within_fake = (
        polynomial_kernel(features, degree=3, gamma=1 / 16, coef0=1) for features in (real, fake)
    )
    across = polynomial_kernel(real, fake, degree=3, gamma=1 / 16, coef0=1)
    off_real, off_fake = (k[~np.eye(len(k), dtype=bool)].mean() for k in (within_real, within_fake))
    expected = off_real + off_fake - 2 * across.mean()
    assert kid.squared_discrepancy(real, fake) == pytest.approx(expected, rel=1e-12)


def test_agrees_with_torch_fidelity(normal_features):
    # kid_features_to_metric of torch-fidelity 0.4.0, one subset of the first 250 samples.
    real, fake = normal_features
    mean, spread = kernel_inception_distance(real[:250], fake, subset_size=250, subsets=1)
    assert mean == pytest.approx(0.2894926461015839, rel=1e-12)
    assert spread == 0


def test_a_subset_of_all_samples_is_drawn_once(normal_features):
    real, fake = (features[:60] for features in normal_features)
    mean, spread = kernel_inception_distance(real, fake)
    assert mean == pytest.approx(kid.squared_discrepancy(real, fake), rel=1e-9)
    assert spread == 0


def test_is_unbiased():
    rng = np.random.default_rng(0)
    estimates = [
        kid.squared_discrepancy(rng.normal(size=(20, 4)), rng.normal(size=(20, 4))) for _ in range(2000)
    ]
    standard_error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates)) < 3 * standard_error
    assert min(estimates) < 0


def test_subsets_come_from_the_seed(normal_features):
    first = kernel_inception_distance(*normal_features, subset_size=50, subsets=5, seed=1)
    assert first == kernel_inception_distance(*normal_features, subset_size=50, subsets=5, seed=1)
    assert first != kernel_inception_distance(*normal_features, subset_size=50, subsets=5, seed=2)


def test_subsets_average_to_the_whole(normal_features):
    mean, spread = kernel_inception_distance(*normal_features, subset_size=100, subsets=200)
    whole = kid.squared_discrepancy(*normal_features)
    assert mean == pytest.approx(whole, abs=4 * spread / np.sqrt(200))
    assert spread > 0


@pytest.mark.parametrize("shapes", [((5, 3), (5, 4)), ((1, 3), (5, 3)), ((5, 3), (0, 3))])
def test_rejects_sets_that_do_not_fit(shapes):
    with pytest.raises(ValueError, match="Expected two sets"):
        kernel_inception_distance(*(np.zeros(shape) for shape in shapes))
