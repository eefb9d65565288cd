"""From a detector's logits to probabilities and decisions whose false positives are known.

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
# Where fakes of new kinds score no higher than reals, `p_fake` says next to nothing, but in order.
_FLATTEST = 1e-3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calibration:
    """What turns a logit, higher for fakes, into a probability and a decision.

    Attributes:
        slope: `p_fake = sigmoid(slope * logit + offset)`; above 0.
        offset: See `slope`.
        fake_above: Logits above this are called fake.
        real_below: Logits below this are called real; those between, unsure.
        false_positive_rate: The promised bound on the share of reals that are called fake.
        miss_rate: Share of unseen generators' fakes that were called real when this was set.
        reals: How many reals it was set on.
        fakes: How many fakes of generators that the scoring network had not learned from.
    """

    slope: float
    offset: float
    fake_above: float
    real_below: float
    false_positive_rate: float
    miss_rate: float
    reals: int
    fakes: int


def needed_reals(false_positive_rate: float) -> int:
    """Returns how many reals it takes to promise a false positive rate: n + 1 >= 1 / rate."""
    return math.ceil(1 / false_positive_rate - 1e-9) - 1


def check_count(reals: int, false_positive_rate: float) -> None:
    """Refuses a false positive rate that so many reals cannot promise.

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
    the rate. So another real, exchangeable with these, is called fake with at most that probability.

    Args:
        real_logits: Shape (n,), of reals that the detector has not learned from.
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


def calibrate(
    real_logits: np.ndarray,
    fake_logits: np.ndarray,
    *,
    fake_origins: np.ndarray,
    false_positive_rate: float,
    miss_rate: float,
) -> Calibration:
    """Sets probabilities and thresholds.

    Args:
        real_logits: Shape (n,), of reals that the detector has not learned from.
        fake_logits: Shape (m,), of fakes each scored by a network that had not learned from its
            generator's kind.
        fake_origins: Shape (m,), what drew each fake; each origin weighs the same.
        false_positive_rate: The bound on the share of reals called fake.
        miss_rate: The share of such fakes that may be called real.

    Returns:
        The calibration.

    Raises:
        InputError: If there are too few reals for the rate.
    """
    threshold = fake_threshold(real_logits, false_positive_rate)
    weights = _balance(len(real_logits), fake_origins)
    logits = np.concatenate([real_logits, fake_logits])[:, np.newaxis]
    targets = np.repeat([0, 1], [len(real_logits), len(fake_logits)])
    # Barely regularised: the penalty only keeps the slope finite where nothing overlaps.
    platt = LogisticRegression(C=_REGULARISATION).fit(logits, targets, sample_weight=weights)
    return Calibration(
        slope=max(_FLATTEST, float(platt.coef_[0, 0])),
        offset=float(platt.intercept_[0]),
        fake_above=threshold,
        real_below=min(threshold, lower_threshold(fake_logits, fake_origins, miss_rate)),
        false_positive_rate=false_positive_rate,
        miss_rate=miss_rate,
        reals=len(real_logits),
        fakes=len(fake_logits),
    )


def lower_threshold(fake_logits: np.ndarray, fake_origins: np.ndarray, miss_rate: float) -> float:
    """Finds the logit below which at most a share `miss_rate` of fakes lie.

    Args:
        fake_logits: Shape (m,).
        fake_origins: Shape (m,), what drew each fake; each origin weighs the same.
        miss_rate: Above 0 and below 1.
    """
    order = np.argsort(fake_logits)
    weights = _balance(0, fake_origins)[order]
    below = np.cumsum(weights) - weights
    within = np.flatnonzero(below <= miss_rate * weights.sum() + 1e-9)
    return float(fake_logits[order][within[-1]])


def _balance(reals: int, fake_origins: np.ndarray) -> np.ndarray:
    """Weighs reals and fakes the same in sum, and the fakes' origins among themselves."""
    _, positions, counts = np.unique(fake_origins, return_inverse=True, return_counts=True)
    fakes = (1 / counts)[positions]
    half = (reals + len(fake_origins)) / 2
    return np.concatenate([np.full(reals, half / max(1, reals)), fakes * (half / fakes.sum())])
