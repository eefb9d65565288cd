"""The threshold: from logits to probabilities, and to decisions with a bound on false positives.

Reference:
    - probabilities: Platt, 1999, "Probabilistic outputs for support vector machines"
    - false positives: [Bates et al., 2021](https://arxiv.org/abs/2104.08279)
"""

import dataclasses
import math

import numpy as np
from sklearn.linear_model import LogisticRegression

from dcgan.errors import InputError

_REGULARISATION = 1e3
# Where fakes score no higher than reals, `p_fake` says next to nothing but still rises with the logit.
_FLATTEST = 1e-3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calibration:
    """Turns a logit, higher for fakes, into a probability and a decision.

    Attributes:
        slope: `p_fake = sigmoid(slope * logit + offset)`; above 0.
        offset: See `slope`.
        fake_above: Images with logits above this are called fake.
        real_below: Images with logits below this are called real, those in between unsure.
        false_positive_rate: The promised bound on the share of reals called fake.
        miss_rate: The share of fakes that were allowed to be called real.
        reals: How many reals it was set on.
        fakes: How many fakes it was set on.
    """

    slope: float
    offset: float
    fake_above: float
    real_below: float
    false_positive_rate: float
    miss_rate: float
    reals: int
    fakes: int


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """Logits, higher for fakes, of images that a detector has not learned from.

    Attributes:
        reals: Shape (count,).
        fakes: Shape (count,).
        generators: What drew each fake, shape (count,).
    """

    reals: np.ndarray
    fakes: np.ndarray
    generators: np.ndarray


def needed_reals(false_positive_rate: float) -> int:
    """Returns how many reals are needed to promise a false positive rate: n + 1 >= 1 / rate."""
    return math.ceil(1 / false_positive_rate - 1e-9) - 1


def check_count(reals: int, false_positive_rate: float) -> None:
    """Refuses a false positive rate that this number of reals cannot promise.

    Raises:
        InputError: If there are too few reals for the rate, or the rate is out of range.
    """
    if not 0 < false_positive_rate < 1:
        raise InputError(
            f"false positive rate: expected above 0 and below 1. Received: {false_positive_rate!r}"
        )
    needed = needed_reals(false_positive_rate)
    if reals < needed:
        raise InputError(
            f"false positive rate {false_positive_rate:g}: expected at least {needed:,} real images to "
            f"calibrate on, received {reals:,}; give more images or a higher rate"
        )


def fake_threshold(real_logits: np.ndarray, false_positive_rate: float) -> float:
    """Finds the logit above which an image is called fake.

    An image is fake if its conformal p-value (1 + #{real logits >= its own}) / (n + 1) is at most
    the rate. On average over draws of the n reals, another real that is exchangeable with them is called
    fake with at most that probability.

    Args:
        real_logits: Logits of reals that the detector has not learned from, shape (n,).
        false_positive_rate: Above 0 and below 1.

    Returns:
        The threshold; only logits strictly above it are fake.

    Raises:
        InputError: If there are too few reals for the rate, or the rate is out of range.

    Example:
        >>> fake_threshold(np.arange(99.0), 0.01)
        98.0
    """
    check_count(len(real_logits), false_positive_rate)
    allowed = math.floor(false_positive_rate * (len(real_logits) + 1) + 1e-9)
    return float(np.sort(real_logits)[-allowed])


def calibrate(scores: Scores, *, false_positive_rate: float, miss_rate: float) -> Calibration:
    """Sets probabilities and thresholds.

    Args:
        scores: Logits of reals and fakes that the detector has not learned from.
        false_positive_rate: The bound on the share of reals called fake.
        miss_rate: The share of such fakes that may be called real.

    Returns:
        The calibration.

    Raises:
        InputError: If there are too few reals for the rate.
    """
    fake_above = fake_threshold(scores.reals, false_positive_rate)
    counts = [len(scores.reals), len(scores.fakes)]
    logits = np.concatenate([scores.reals, scores.fakes])[:, np.newaxis]
    # Reals and fakes weigh the same in sum, and so do the generators among themselves.
    shares = _shares(scores.generators)
    weights = np.concatenate([np.full(counts[0], 1 / counts[0]), shares]) * sum(counts) / 2
    # Barely regularised: the penalty only keeps the slope finite where nothing overlaps.
    platt = LogisticRegression(C=_REGULARISATION)
    platt.fit(logits, np.repeat([0, 1], counts), sample_weight=weights)
    return Calibration(
        slope=max(_FLATTEST, float(platt.coef_[0, 0])),
        offset=float(platt.intercept_[0]),
        fake_above=fake_above,
        real_below=min(fake_above, real_threshold(scores.fakes, scores.generators, miss_rate)),
        false_positive_rate=false_positive_rate,
        miss_rate=miss_rate,
        reals=counts[0],
        fakes=counts[1],
    )


def real_threshold(logits: np.ndarray, generators: np.ndarray, miss_rate: float) -> float:
    """Finds the logit below which at most a share `miss_rate` of fakes lies.

    Args:
        logits: Logits of fakes, shape (count,).
        generators: What drew each fake, shape (count,); all generators weigh the same.
        miss_rate: Above 0 and below 1.
    """
    order = np.argsort(logits)
    shares = _shares(generators)[order]
    within = np.flatnonzero(np.cumsum(shares) - shares <= miss_rate + 1e-9)
    return float(logits[order][within[-1]])


def _shares(generators: np.ndarray) -> np.ndarray:
    """The weight of each fake such that all generators weigh the same; the sum is 1."""
    _, positions, counts = np.unique(generators, return_inverse=True, return_counts=True)
    return (1 / counts / len(counts))[positions]
