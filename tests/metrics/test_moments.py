import tracemalloc

import numpy as np
import pytest

from dcgan.metrics import Moments


def test_batches_equal_numpy_on_the_whole(normal_features):
    features, _ = normal_features
    moments = Moments(16)
    for batch in np.split(features, [1, 40, 40, 111]):
        moments.update(batch)
    assert moments.count == 300
    np.testing.assert_allclose(moments.mean, features.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(features, rowvar=False), rtol=1e-11)


def test_merge_equals_one_pass(normal_features):
    first, second = normal_features
    merged = Moments.of(first)
    merged.merge(Moments.of(second))
    merged.merge(Moments(16))
    whole = Moments.of(np.concatenate([first, second]))
    assert merged.count == whole.count
    np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(merged.scatter, whole.scatter, rtol=1e-11)


def test_merging_leaves_the_other_as_it_was(normal_features):
    other = Moments.of(normal_features[1])
    scatter = other.scatter.copy()
    empty = Moments(16)
    empty.merge(other)
    empty.update(normal_features[0])
    assert other.count == 250
    np.testing.assert_array_equal(other.scatter, scatter)


def test_a_mean_far_from_zero_costs_no_precision(normal_features):
    features, _ = normal_features
    moments = Moments(16)
    for batch in np.array_split(features + 1e6, 7):
        moments.update(batch)
    np.testing.assert_allclose(moments.covariance, np.cov(features, rowvar=False), atol=1e-8)


def test_float32_is_accumulated_in_float64():
    batch = np.full((1000, 2), 0.1, np.float32)
    moments = Moments(2)
    for _ in range(100):
        moments.update(batch)
    np.testing.assert_allclose(moments.mean, np.float64(np.float32(0.1)), rtol=1e-14)


def test_a_million_samples_need_no_more_memory_than_a_thousand():
    batch = np.random.default_rng(0).normal(size=(1000, 8))

    def peak(batches):
        tracemalloc.start()
        moments = Moments(8)
        for _ in range(batches):
            moments.update(batch)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return moments.count, most

    _, small = peak(1)
    count, large = peak(1000)
    assert count == 1_000_000
    assert large < 1.2 * small


@pytest.mark.parametrize(
    "features", [np.zeros((3, 5)), np.zeros(4), np.full((2, 4), np.nan), np.full((2, 4), np.inf)]
)
def test_rejects_what_are_no_features(features):
    with pytest.raises(ValueError, match="Expected"):
        Moments(4).update(features)


def test_rejects_another_dimension():
    with pytest.raises(ValueError, match="dimension 4"):
        Moments(4).merge(Moments(5))


def test_one_sample_has_no_covariance():
    with pytest.raises(ValueError, match="count=1"):
        _ = Moments.of(np.zeros((1, 3))).covariance
