import dataclasses

import numpy as np
import pytest

from dcgan.detector import certificate, threshold
from dcgan.detector.threshold import Scores
from dcgan.errors import InputError


def _scores(reals, fakes, generators):
    return Scores(reals[np.newaxis], np.array(["as they are"]), reals, fakes, generators)


def test_probabilities_are_calibrated_for_a_known_model():
    rng = np.random.default_rng(0)
    # Normal scores of equal variance: the true log-odds are 2 * logit - 0.
    reals, fakes = rng.normal(-1, 1, 20_000), rng.normal(1, 1, 20_000)
    fitted = threshold.calibrate(
        _scores(
            reals,
            fakes,
            np.repeat(["a"], 20_000),
        ),
        false_positive_rate=0.01,
        miss_rate=0.05,
    )
    assert fitted.slope == pytest.approx(2, abs=0.05)
    assert fitted.offset == pytest.approx(0, abs=0.05)
    # The quantile at 1 %, and a little more to be sure.
    assert -1 + 2.326 < fitted.fake_above < -1 + 2.326 + 0.15
    assert (fitted.confidence, fitted.deliveries) == (0.95, ("as they are",))
    assert fitted.real_below == pytest.approx(1 - 1.645, abs=0.05)
    assert (fitted.reals, fitted.fakes) == (20_000, 20_000)


def test_generators_weigh_the_same():
    rng = np.random.default_rng(1)
    reals = rng.normal(0, 1, 1000)
    few, many = rng.normal(5, 0.1, 20), rng.normal(9, 0.1, 2000)
    fitted = threshold.calibrate(
        _scores(
            reals,
            np.concatenate([many, few]),
            np.repeat(["many", "few"], [2000, 20]),
        ),
        false_positive_rate=0.4,
        miss_rate=0.25,
    )
    # A quarter missed is half of the few, which are a hundredth of all.
    assert fitted.miss_rate == 0.25
    assert fitted.real_below == pytest.approx(fitted.fake_above)
    lower = threshold.real_threshold(
        np.concatenate([many, few]), np.repeat(["many", "few"], [2000, 20]), 0.25
    )
    assert lower == pytest.approx(5, abs=0.1)


def test_no_band_where_both_thresholds_would_cross():
    fitted = threshold.calibrate(
        _scores(
            np.linspace(-1, 0, 400),
            np.linspace(5, 6, 200),
            np.repeat(["a"], 200),
        ),
        false_positive_rate=0.01,
        miss_rate=0.05,
    )
    assert fitted.real_below == fitted.fake_above < 0.001


def test_useless_scores_still_rise_with_the_logit():
    rng = np.random.default_rng(2)
    fitted = threshold.calibrate(
        _scores(
            rng.normal(1, 1, 500),
            rng.normal(-1, 1, 500),
            np.repeat(["a"], 500),
        ),
        false_positive_rate=0.1,
        miss_rate=0.05,
    )
    assert fitted.slope > 0


def test_the_threshold_is_the_largest_of_the_deliveries():
    rng = np.random.default_rng(3)
    reals = rng.normal(size=(3, 2_000)) + np.array([[0.0], [2.0], [1.0]])
    fitted = threshold.calibrate(
        Scores(reals, np.array(["a", "b", "c"]), reals[0], rng.normal(5, 1, 100), np.repeat(["x"], 100)),
        false_positive_rate=0.05,
        confidence=0.9,
        miss_rate=0.05,
    )
    rank = certificate.allowed_rank(2_000, 0.05, 1 - 0.1 / 3)
    assert fitted.fake_above == np.sort(reals[1])[-rank]
    assert (reals[0] > fitted.fake_above).mean() < (reals[1] > fitted.fake_above).mean() < 0.05
    assert fitted.deliveries == ("a", "b", "c")


@pytest.mark.parametrize("name", ["delivered_reals", "reals", "fakes"])
def test_scores_that_are_not_finite_set_no_threshold(name):
    # A threshold of NaN would call nothing fake.
    scores = _scores(np.linspace(-1, 0, 400), np.linspace(5, 6, 200), np.repeat(["a"], 200))
    broken = getattr(scores, name).copy()
    broken[..., -1] = np.nan
    scores = dataclasses.replace(scores, **{name: broken})
    with pytest.raises(InputError, match=rf"finite logits, received NaN or infinity for 1 {name}"):
        threshold.calibrate(scores, false_positive_rate=0.01, miss_rate=0.05)
