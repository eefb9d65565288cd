import warnings

import numpy as np
import pytest
import scipy.linalg

from dcgan.metrics import Moments, frechet_distance


def _moments(mean, covariance, count=101):
    moments = Moments(len(mean))
    moments.count = count
    moments.mean = np.asarray(mean, float)
    moments.scatter = np.asarray(covariance, float) * (count - 1)
    return moments


def test_closed_form_of_normals_with_independent_axes():
    first = _moments([0.0, 1.0, 2.0], np.diag([1.0, 4.0, 9.0]))
    second = _moments([1.0, 1.0, 0.0], np.diag([4.0, 4.0, 1.0]))
    # |mean gap|^2 + sum of (difference of standard deviations)^2
    assert frechet_distance(first, second) == pytest.approx(5 + 1 + 0 + 4, rel=1e-12)


def test_closed_form_of_commuting_covariances():
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    deviations = np.array([[1, 2, 3, 4, 5], [2, 2, 1, 0.5, 7]], float)
    first, second = ((rotation * row**2) @ rotation.T for row in deviations)
    expected = np.sum((deviations[0] - deviations[1]) ** 2)
    found = frechet_distance(_moments(np.zeros(5), first), _moments(np.zeros(5), second))
    assert found == pytest.approx(expected, rel=1e-12)


def test_agrees_with_a_matrix_square_root(normal_features):
    first, second = map(Moments.of, normal_features)
    root = scipy.linalg.sqrtm(first.covariance @ second.covariance)
    gap = first.mean - second.mean
    expected = gap @ gap + np.trace(first.covariance + second.covariance - 2 * root.real)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-10)


def test_agrees_with_torch_fidelity(normal_features):
    # fid_statistics_to_metric of torch-fidelity 0.4.0 on the same features.
    found = frechet_distance(*map(Moments.of, normal_features))
    assert found == pytest.approx(1.9946817382420718, rel=1e-9)


def test_singular_covariances_are_exact_and_silent():
    first = _moments(np.zeros(4), np.diag([1.0, 0.0, 0.0, 4.0]))
    second = _moments(np.zeros(4), np.diag([4.0, 0.0, 9.0, 4.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert frechet_distance(first, second) == pytest.approx(1 + 9, rel=1e-12)


def test_fewer_samples_than_dimensions():
    features = np.random.default_rng(0).normal(size=(10, 64))
    moments = Moments.of(features)
    assert frechet_distance(moments, moments) == pytest.approx(0, abs=1e-10)
    shifted = frechet_distance(moments, Moments.of(features + 0.5))
    assert shifted == pytest.approx(64 * 0.25, rel=1e-10)


def test_constant_features():
    point = Moments.of(np.ones((5, 3)))
    assert frechet_distance(point, point) == 0
    assert frechet_distance(point, Moments.of(np.zeros((5, 3)))) == pytest.approx(3)


def test_is_symmetric(normal_features):
    first, second = map(Moments.of, normal_features)
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first))


def test_rejects_different_dimensions():
    with pytest.raises(ValueError, match="2 and 3"):
        frechet_distance(Moments(2), Moments(3))
