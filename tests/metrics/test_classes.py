import math

import numpy as np
import pytest
import scipy.stats

from dcgan import metrics


def _certain(counts):
    return np.repeat(np.eye(len(counts)), counts, axis=0)


def test_shares_follow_the_most_probable_class():
    probabilities = np.array([[0.6, 0.4, 0.0], [0.1, 0.2, 0.7], [0.5, 0.2, 0.3], [0.8, 0.1, 0.1]])
    np.testing.assert_array_equal(metrics.class_shares(probabilities), [0.75, 0, 0.25])


def test_entropy_agrees_with_scipy():
    shares = np.array([0.5, 0.25, 0.125, 0.125, 0.0])
    assert metrics.entropy(shares) == pytest.approx(scipy.stats.entropy(shares))
    assert metrics.entropy(np.array([0.0, 1.0])) == 0
    assert metrics.entropy(np.full(10, 0.1)) == pytest.approx(math.log(10))


def test_divergence_agrees_with_scipy():
    real, fake = _certain([10, 20, 30]), _certain([30, 0, 10])
    expected = scipy.stats.entropy([0.75, 0, 0.25], [1 / 6, 2 / 6, 3 / 6])
    assert metrics.class_divergence(real, fake) == pytest.approx(expected)


def test_divergence_of_one_class_out_of_ten():
    real, fake = _certain([10] * 10), _certain([0] * 9 + [50])
    assert metrics.class_divergence(real, fake) == pytest.approx(math.log(10))
    assert metrics.class_divergence(real, real) == 0


def test_divergence_stays_finite_for_a_class_the_real_images_lack():
    found = metrics.class_divergence(_certain([10, 0]), _certain([0, 10]))
    # Half an image of 10 and a half.
    assert found == pytest.approx(math.log(21))


def test_score_of_certain_and_even_classes_is_their_number():
    mean, spread = metrics.classifier_score(_certain([100] * 5), splits=1)
    assert mean == pytest.approx(5)
    assert spread == 0


def test_score_of_clueless_probabilities_is_one():
    assert metrics.classifier_score(np.full((50, 4), 0.25))[0] == pytest.approx(1)
    assert metrics.classifier_score(_certain([50, 0, 0]))[0] == pytest.approx(1)


def test_score_by_its_definition(class_probabilities):
    marginal = class_probabilities.mean(axis=0)
    expected = np.exp(scipy.stats.entropy(class_probabilities, marginal, axis=1).mean())
    assert metrics.classifier_score(class_probabilities, splits=1)[0] == pytest.approx(expected)


def test_score_agrees_with_torch_fidelity(class_probabilities):
    # isc_features_to_metric of torch-fidelity 0.4.0 on the logarithms, splits=1.
    found, _ = metrics.classifier_score(class_probabilities, splits=1)
    assert found == pytest.approx(2.489778347414052, rel=1e-12)


def test_score_depends_on_the_seed_only_through_the_parts(class_probabilities):
    first = metrics.classifier_score(class_probabilities, seed=1)
    assert first == metrics.classifier_score(class_probabilities, seed=1)
    assert first != metrics.classifier_score(class_probabilities, seed=2)
    assert first[1] > 0


def test_score_of_sorted_classes_is_that_of_mixed_ones():
    assert metrics.classifier_score(_certain([100] * 10))[0] > 9


def test_score_needs_an_image_a_part():
    with pytest.raises(ValueError, match="10 images or more"):
        metrics.classifier_score(np.ones((9, 2)) / 2)
