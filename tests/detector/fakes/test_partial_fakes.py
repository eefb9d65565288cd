import numpy as np
import pytest

from dcgan.detector.fakes import partial_fakes


@pytest.mark.parametrize("shape", [(32, 32), (16, 24)])
def test_regions_have_the_areas_that_are_said_and_hang_together(shape):
    regions = partial_fakes.draw_regions(200, *shape, rng=np.random.default_rng(0))
    areas = regions.mean(axis=(1, 2))
    assert 0.24 < areas.min() < 0.3
    assert 0.55 < areas.max() < 0.61
    # Every line through a region crosses it once: ellipses and boxes are convex.
    changes = np.abs(np.diff(np.pad(regions, ((0, 0), (1, 1), (0, 0))).astype(int), axis=1)).sum(axis=1)
    assert changes.max() == 2


def test_a_region_of_a_fake_in_a_real_with_a_soft_edge():
    fakes, reals = np.full((50, 32, 32, 3), 200, np.uint8), np.full((9, 32, 32, 3), 40, np.uint8)
    mixed, regions = partial_fakes.paste(fakes, reals, rng=np.random.default_rng(0))
    assert (mixed[regions] > 120).mean() > 0.95
    assert (mixed[~regions] < 120).mean() > 0.95
    assert np.isin(mixed, (40, 200)).mean() > 0.7
    assert set(np.unique(mixed)) > {40, 200}


def test_seed_decides():
    fakes, reals = np.full((5, 8, 8, 3), 200, np.uint8), np.full((9, 8, 8, 3), 40, np.uint8)
    first, again, other = (
        partial_fakes.paste(fakes, reals, rng=np.random.default_rng(seed))[0] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
