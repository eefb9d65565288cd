import numpy as np
import pytest

from dcgan.detector import threshold
from dcgan.detector.threshold import Scores
from dcgan.errors import InputError


@pytest.mark.parametrize(("rate", "needed"), [(0.5, 1), (0.01, 99), (0.001, 999), (0.05, 19)])
def test_needed_reals(rate, needed):
    assert threshold.needed_reals(rate) == needed
    assert np.isfinite(threshold.fake_threshold(np.zeros(needed), rate))
    with pytest.raises(InputError, match=f"at least {needed:,} real images"):
        threshold.fake_threshold(np.zeros(needed - 1), rate)


@pytest.mark.parametrize("rate", [0.0, 1.0, -1, 2])
def test_rates_out_of_range(rate):
    with pytest.raises(InputError, match="above 0 and below 1"):
        threshold.check_count(10_000, rate)


@pytest.mark.parametrize(("count", "rate"), [(99, 0.01), (150, 0.01), (1000, 0.0125), (40, 0.3)])
def test_threshold_is_the_conformal_one(count, rate):
    scores = np.random.default_rng(0).normal(size=count)
    fake_above = threshold.fake_threshold(scores, rate)
    for score in np.linspace(-4, 4, 801):
        p_value = (1 + np.sum(scores >= score)) / (count + 1)
        assert (score > fake_above) == (p_value <= rate + 1e-12)


def test_false_positives_keep_the_promise():
    rng = np.random.default_rng(0)
    alarms = [
        np.mean(rng.exponential(size=2000) > threshold.fake_threshold(rng.exponential(size=199), 0.05))
        for _ in range(300)
    ]
    # Exactly 10 / 200 by exchangeability; the standard error of this mean is 0.001.
    assert abs(np.mean(alarms) - 0.05) < 0.004


def test_probabilities_are_calibrated_for_a_known_model():
    rng = np.random.default_rng(0)
    # Normal scores of equal variance: the true log-odds are 2 * logit - 0.
    reals, fakes = rng.normal(-1, 1, 20_000), rng.normal(1, 1, 20_000)
    fitted = threshold.calibrate(
        Scores(
            reals,
            fakes,
            np.repeat(["a"], 20_000),
        ),
        false_positive_rate=0.01,
        miss_rate=0.05,
    )
    assert fitted.slope == pytest.approx(2, abs=0.05)
    assert fitted.offset == pytest.approx(0, abs=0.05)
    assert fitted.fake_above == pytest.approx(-1 + 2.326, abs=0.08)
    assert fitted.real_below == pytest.approx(1 - 1.645, abs=0.05)
    assert (fitted.reals, fitted.fakes) == (20_000, 20_000)


def test_generators_weigh_the_same():
    rng = np.random.default_rng(1)
    reals = rng.normal(0, 1, 1000)
    few, many = rng.normal(5, 0.1, 20), rng.normal(9, 0.1, 2000)
    fitted = threshold.calibrate(
        Scores(
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
        Scores(
            np.linspace(-1, 0, 200),
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
        Scores(
            rng.normal(1, 1, 500),
            rng.normal(-1, 1, 500),
            np.repeat(["a"], 500),
        ),
        false_positive_rate=0.1,
        miss_rate=0.05,
    )
    assert fitted.slope > 0
