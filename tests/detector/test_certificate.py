import types

import numpy as np
import pytest
from scipy import special

from dcgan.detector import certificate
from dcgan.detector.delivery.named_deliveries import NAMED
from dcgan.errors import InputError


def _sure(rank, count, rate):
    """P(Beta(rank, count - rank + 1) <= rate), from the incomplete beta function."""
    return special.betainc(rank, count - rank + 1, rate)


def test_rank_in_closed_form():
    assert certificate.allowed_rank(4_997, 0.01, 0.95) == 39
    assert _sure(39, 4_997, 0.01) >= 0.95 > _sure(40, 4_997, 0.01)


@pytest.mark.parametrize(("count", "rate", "confidence"), [(500, 0.02, 0.9), (60, 0.3, 0.99)])
def test_rank_is_the_largest_that_is_sure_enough(count, rate, confidence):
    rank = certificate.allowed_rank(count, rate, confidence)
    assert _sure(rank, count, rate) >= confidence > _sure(rank + 1, count, rate)


# 1 - 0.99^n >= 0.95 from n = 298.07.
@pytest.mark.parametrize(
    ("rate", "confidence", "deliveries", "needed"),
    [(0.01, 0.95, 1, 299), (0.5, 0.5, 1, 1), (0.01, 0.95, 34, 649), (0.001, 0.95, 1, 2_995)],
)
def test_needed_reals(rate, confidence, deliveries, needed):
    asked = {"confidence": confidence, "deliveries": deliveries}
    assert certificate.needed_reals(rate, **asked) == needed
    certificate.check_count(needed, rate, **asked)
    each = 1 - (1 - confidence) / deliveries
    assert certificate.allowed_rank(needed, rate, each) == 1
    assert certificate.allowed_rank(needed - 1, rate, each) == 0
    with pytest.raises(InputError, match=f"at least {needed:,} real images"):
        certificate.check_count(needed - 1, rate, **asked)


@pytest.mark.parametrize("count", [1, 12, 60, 298])
def test_lowest_rate_is_one_that_so_many_certify(count):
    asked = {"confidence": 0.95, "deliveries": 34}
    rate = certificate.lowest_rate(count, **asked)
    certificate.check_count(count, rate, **asked)
    assert certificate.allowed_rank(count, rate, 1 - 0.05 / 34) == 1
    assert certificate.needed_reals(0.99 * rate, **asked) > count


@pytest.mark.parametrize("value", [0.0, 1.0, -1, 2])
def test_values_out_of_range(value):
    with pytest.raises(InputError, match="false positive rate: expected above 0 and below 1"):
        certificate.check_count(10_000, value, confidence=0.95, deliveries=1)
    with pytest.raises(InputError, match="confidence: expected above 0 and below 1"):
        certificate.check_count(10_000, 0.01, confidence=value, deliveries=1)


def test_the_bound_holds_with_the_confidence():
    # Scores are uniform, so that a threshold's true rate is known.
    rng = np.random.default_rng(0)
    thresholds = np.array(
        [certificate.fake_threshold(rng.random((1, 300)), 0.05, confidence=0.95) for _ in range(1_000)]
    )
    kept = np.mean(1 - thresholds <= 0.05)
    rank = certificate.allowed_rank(300, 0.05, 0.95)
    # The standard error is 0.007.
    assert kept == pytest.approx(_sure(rank, 300, 0.05), abs=0.02)
    assert kept >= 0.95


def test_the_bound_holds_under_deliveries_that_share_nothing():
    # Under each delivery the threshold keeps the bound by itself, all at once with the confidence.
    rng = np.random.default_rng(1)
    kept = []
    for _ in range(500):
        rows = rng.random((5, 300))
        each = [
            certificate.fake_threshold(row[np.newaxis], 0.05, confidence=1 - 0.1 / 5) for row in rows
        ]
        assert certificate.fake_threshold(rows, 0.05, confidence=0.9) == max(each)
        kept.append(1 - min(each) <= 0.05)
    assert np.mean(kept) >= 0.9


def test_ties_are_not_called_fake():
    assert certificate.fake_threshold(np.zeros((1, 400)), 0.01) == 0


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("jpeg 75", ("jpeg 75",)),
        ("shift 3 edge,jpeg-2x-jpeg,jpeg 50", ("shift 3 edge", "jpeg-2x-jpeg", "jpeg 50")),
        ("crop 90, crop-jpeg-3/4-jpeg, crop 90", ("crop 90", "crop-jpeg-3/4-jpeg")),
    ],
)
def test_deliveries_from_text(text, names):
    assert certificate.parse_deliveries(text) == names


def test_all_names_survive_text():
    assert certificate.parse_deliveries(certificate.join_deliveries(NAMED)) == tuple(NAMED)
    assert set(NAMED) - set(certificate.CERTIFIED) == {"jpeg 40"}


@pytest.mark.parametrize("text", ["", "jpeg 75, fog", "jpeg"])
def test_unknown_deliveries(text):
    with pytest.raises(InputError, match="deliveries: expected names among as they are, "):
        certificate.parse_deliveries(text)


def test_the_promise_in_words():
    promise = types.SimpleNamespace(
        false_positive_rate=0.01, confidence=0.95, deliveries=("a", "b"), reals=5_000
    )
    text = certificate.describe(promise)
    for part in ("at most 1 %", "5,000", "95 % confidence", "each of 2 deliveries"):
        assert part in text
