import numpy as np
import pytest

from dcgan.detector.fakes import histogram_matching


def test_values_become_the_reals_values():
    rng = np.random.default_rng(0)
    fakes = rng.integers(0, 256, (20, 5, 5, 1), np.uint8)
    reals = rng.choice(np.uint8([0, 0, 0, 7, 200, 255]), (40, 5, 5, 1))
    matched = histogram_matching.match_histograms(fakes, reals)
    shares = np.bincount(matched.ravel(), minlength=256) / matched.size
    wanted = np.bincount(reals.ravel(), minlength=256) / reals.size
    np.testing.assert_allclose(shares, wanted, atol=1 / matched.size)


def test_order_is_kept():
    fakes = np.random.default_rng(1).permutation(200).astype(np.uint8).reshape(2, 10, 10, 1)
    reals = np.arange(56, 256).astype(np.uint8).reshape(1, 10, 20, 1)
    np.testing.assert_array_equal(histogram_matching.match_histograms(fakes, reals), fakes + 56)


def test_ties_are_broken_by_chance_and_seed():
    fakes = np.zeros((10, 10, 10, 1), np.uint8)
    reals = np.uint8([0, 255]).reshape(1, 1, 2, 1)
    first = histogram_matching.match_histograms(fakes, reals, seed=1)
    assert first.mean() == 127.5
    assert 0.3 < np.mean(first[0] > 0) < 0.7
    np.testing.assert_array_equal(first, histogram_matching.match_histograms(fakes, reals, seed=1))
    assert (first != histogram_matching.match_histograms(fakes, reals, seed=2)).any()


def test_channels_are_matched_apart():
    fakes = np.random.default_rng(2).integers(0, 256, (3, 4, 4, 3), np.uint8)
    reals = np.broadcast_to(np.uint8([10, 20, 30]), (2, 4, 4, 3))
    matched = histogram_matching.match_histograms(fakes, reals)
    assert [np.unique(matched[..., index]).tolist() for index in range(3)] == [[10], [20], [30]]


def test_groups_are_matched_apart():
    fakes = np.random.default_rng(4).integers(0, 256, (6, 5, 5, 1), np.uint8)
    reals = np.uint8([0, 255]).reshape(1, 1, 2, 1)
    groups = np.array(["a", "b", "a", "c", "b", "a"])
    matched = histogram_matching.match_histograms(fakes, reals, groups=groups)
    for group in "abc":
        own, given = fakes[groups == group], matched[groups == group]
        assert abs(np.sum(given > 0) - given.size / 2) <= 0.5
        assert own[given > 0].min() >= own[given == 0].max()


@pytest.mark.parametrize("seed", [0, 1])
def test_reals_matched_by_themselves_stay(seed):
    reals = np.random.default_rng(seed).integers(0, 256, (8, 6, 6, 1), np.uint8)
    np.testing.assert_array_equal(histogram_matching.match_histograms(reals, reals), reals)


def test_each_fake_gets_the_values_of_one_real():
    rng = np.random.default_rng(3)
    fakes = rng.integers(0, 256, (4, 5, 5, 2), np.uint8)
    reals = np.sort(rng.integers(0, 256, (4, 5, 5, 2), np.uint8), axis=0)
    matched = histogram_matching.match_histograms_individually(fakes, reals, seed=1)
    values = {np.sort(image.reshape(25, 2), axis=0).tobytes() for image in matched}
    assert values == {np.sort(image.reshape(25, 2), axis=0).tobytes() for image in reals}
    brightness = fakes.mean(axis=(1, 2, 3)), matched.mean(axis=(1, 2, 3))
    np.testing.assert_array_equal(*(np.argsort(values) for values in brightness))


def test_each_keeps_the_order_of_an_image_and_breaks_ties_by_seed():
    fakes = np.random.default_rng(4).permutation(100).astype(np.uint8).reshape(1, 10, 10, 1)
    reals = np.arange(100, 200).astype(np.uint8).reshape(1, 10, 10, 1)
    np.testing.assert_array_equal(
        histogram_matching.match_histograms_individually(fakes, reals), fakes + 100
    )
    flat = np.zeros_like(fakes)
    first, again, other = (
        histogram_matching.match_histograms_individually(flat, reals, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_more_fakes_than_reals():
    fakes = np.random.default_rng(5).integers(0, 256, (5, 3, 3, 1), np.uint8)
    matched = histogram_matching.match_histograms_individually(fakes, np.full((2, 3, 3, 1), 9, np.uint8))
    np.testing.assert_array_equal(matched, 9)
