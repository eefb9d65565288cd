"""What a threshold promises about false positives, with which confidence and under which deliveries."""

import math
from collections.abc import Iterable
from typing import Protocol

import numpy as np
from scipy import stats

from dcgan.detector.delivery.named_deliveries import NAMED
from dcgan.errors import InputError

DEFAULT = "default"
"""Stands for the deliveries in `CERTIFIED`."""
NOT_CERTIFIED = "jpeg 40"
CERTIFIED = tuple(name for name in NAMED if name != NOT_CERTIFIED)
"""The deliveries that a threshold holds under by default."""


class Promise(Protocol):
    """What has these attributes says what a threshold promises, such as a `Calibration`."""

    @property
    def false_positive_rate(self) -> float:
        """At most this share of reals is called fake."""

    @property
    def confidence(self) -> float:
        """The least probability, over draws of the calibration images, that this holds."""

    @property
    def deliveries(self) -> tuple[str, ...]:
        """Under which deliveries it holds, under all of them at once."""

    @property
    def reals(self) -> int:
        """How many calibration images it rests on."""


def parse_deliveries(text: str) -> tuple[str, ...]:
    """Reads names of deliveries joined by commas.

    Args:
        text: Such as "jpeg 75, shift 3 edge", or "default" for `CERTIFIED`.

    Raises:
        InputError: If there is no name, or one is unknown.
    """
    if text == DEFAULT:
        return CERTIFIED
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in NAMED:
            raise InputError(f"deliveries: expected names among {', '.join(NAMED)}. Received: {name!r}")
    return tuple(dict.fromkeys(names))


def needed_reals(false_positive_rate: float, *, confidence: float, deliveries: int) -> int:
    """Returns how many calibration images a promise needs.

    Args:
        false_positive_rate: Above 0 and below 1.
        confidence: Above 0 and below 1.
        deliveries: Under how many deliveries it is to hold.
    """
    missed = (1 - confidence) / deliveries
    return max(1, math.ceil(math.log(missed) / math.log1p(-false_positive_rate) - 1e-9))


def lowest_rate(reals: int, *, confidence: float, deliveries: int) -> float:
    """Returns the lowest false positive rate that so many calibration images can certify.

    Args:
        reals: How many images, at least 1.
        confidence: See `needed_reals`.
        deliveries: See `needed_reals`.
    """
    return float(-math.expm1(math.log((1 - confidence) / deliveries) / reals)) + 1e-12


def check_count(reals: int, false_positive_rate: float, *, confidence: float, deliveries: int) -> None:
    """Refuses a promise that so many calibration images cannot keep.

    Raises:
        InputError: If there are too few images, or a value is out of range.
    """
    for name, value in (("false positive rate", false_positive_rate), ("confidence", confidence)):
        if not 0 < value < 1:
            raise InputError(f"{name}: expected above 0 and below 1. Received: {value!r}")
    needed = needed_reals(false_positive_rate, confidence=confidence, deliveries=deliveries)
    if reals < needed:
        raise InputError(
            f"false positive rate {false_positive_rate:g}: expected at least {needed:,} real images to "
            f"certify it with {confidence:.4g} confidence under {deliveries} "
            f"{'delivery' if deliveries == 1 else 'deliveries'}, received {reals:,}; give more images, "
            f"fewer deliveries, a higher rate or less confidence"
        )


def allowed_rank(reals: int, false_positive_rate: float, confidence: float) -> int:
    """Returns which of the scores of reals, counted from the largest, may be the threshold.

    If the k-th largest of n scores is the threshold and only larger scores are fake, the true false
    positive rate of continuous scores has the distribution Beta(k, n - k + 1); ties only lower it. It
    is at most the rate with probability P(Binomial(n, rate) >= k). The answer is the largest k for
    which that is at least the confidence.

    Args:
        reals: How many scores, n.
        false_positive_rate: Above 0 and below 1.
        confidence: Above 0 and below 1.

    Returns:
        From 1, or 0 if there are too few scores.

    Reference:
        [Vovk, 2012](https://arxiv.org/abs/1209.2673), on conformal predictors given their training set
    """
    # The smallest k with P(Binomial <= k) >= 1 - confidence; none larger can do, up to rounding.
    rank = int(stats.binom.ppf(1 - confidence, reals, false_positive_rate)) + 1
    while rank > 0 and stats.binom.sf(rank - 1, reals, false_positive_rate) < confidence - 1e-12:
        rank -= 1
    return rank


def fake_threshold(logits: np.ndarray, false_positive_rate: float, *, confidence: float = 0.95) -> float:
    """Finds the logit above which an image is called fake, so that all deliveries keep the rate.

    With at least the given confidence over the draw of the calibration images, at most the given share
    of further reals of the same distribution has logits above the threshold, under every delivery at
    once (union bound: each gets an equal part of 1 - confidence).

    Args:
        logits: Logits of reals that the detector has not learned from, a row each delivery; shape
            (deliveries, n).
        false_positive_rate: Above 0 and below 1.
        confidence: Above 0 and below 1. Defaults to 0.95.

    Returns:
        The largest of the deliveries' thresholds; only logits strictly above it are fake.

    Raises:
        InputError: If there are too few reals, or a value is out of range.

    Example:
        >>> fake_threshold(np.arange(299.0)[np.newaxis], 0.01)
        298.0
    """
    deliveries, count = logits.shape
    check_count(count, false_positive_rate, confidence=confidence, deliveries=deliveries)
    rank = allowed_rank(count, false_positive_rate, 1 - (1 - confidence) / deliveries)
    return float(np.sort(logits, axis=1)[:, -rank].max())


def describe(promise: Promise) -> str:
    """Says in a sentence what is promised."""
    count = len(promise.deliveries)
    under = f"under {promise.deliveries[0]}" if count == 1 else f"under each of {count} deliveries"
    return (
        f"at most {show_share(promise.false_positive_rate)} of reals like the {promise.reals:,} it was "
        f"calibrated on are called fake, with {show_share(promise.confidence)} confidence, {under}"
    )


def show_share(share: float) -> str:
    """Writes a share as per cent, with three significant digits."""
    return f"{100 * share:.3g} %"


def join_deliveries(names: Iterable[str]) -> str:
    """Joins names such that `parse_deliveries` reads them back."""
    return ", ".join(names)
