import numpy as np
import pytest

from dcgan.detector.fakes.fake_pool import LEARNED, Fakes
from dcgan.detector.learning import detector_update


@pytest.mark.slow
def test_a_grey_detector_learns_too_and_is_left_as_it_was(fitted, spots, spoiled, config):
    blurred = (spots(600, 70).astype(int) + np.roll(spots(600, 70), 3, axis=2)) // 2
    before = fitted.detector.raw_scores(spots(20, 71))
    updated = detector_update.update(
        fitted, [Fakes("learned-double", LEARNED, blurred.astype(np.uint8))], config=config
    )
    np.testing.assert_array_equal(fitted.detector.raw_scores(spots(20, 71)), before)
    row = updated.learned["double"]
    assert row["held_back"] == 60
    assert row["after"]["as they are"] > row["before"]["as they are"]
    assert updated.pool.counts() == fitted.pool.counts() | {"learned-double": 600}
    assert updated.folds is fitted.folds
    # What it knew, it still knows.
    reals, fakes = spots(100, 50), spoiled(100, "checks", 51)
    assert np.mean(updated.detector.raw_scores(fakes)) > np.mean(updated.detector.raw_scores(reals))
    assert updated.detector.familiarity is not fitted.detector.familiarity
