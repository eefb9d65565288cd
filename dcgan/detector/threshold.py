"""The threshold: from logits to probabilities, and to decisions with a certificate on false positives.

Reference:
    Probabilities: Platt, 1999, "Probabilistic outputs for support vector machines"
"""

import dataclasses

import numpy as np
from sklearn.linear_model import LogisticRegression

from dcgan.detector import certificate
from dcgan.errors import InputError

_REGULARISATION = 1e3
# Where fakes score no higher than reals, `p_fake` says next to nothing but still rises with the logit.
_FLATTEST = 1e-3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calibration:
    """Turns a logit, higher for fakes, into a probability and a decision; `recalibrate_run` makes one.

    Attributes:
        slope: `p_fake = sigmoid(slope * logit + offset)`; above 0.
        offset: See `slope`.
        fake_above: Images with logits above this are called fake.
        real_below: Images with logits below this are called real, those in between unsure.
        false_positive_rate: The promised bound on the share of reals called fake, see
            `certificate.fake_threshold`.
        confidence: The least probability, over draws of the calibration reals, that the bound holds.
        deliveries: Under which deliveries it holds, under all of them at once.
        miss_rate: The share of the calibration's fakes that were allowed to be called real.
        reals: How many reals it was set on.
        fakes: How many fakes it was set on.
    """

    slope: float
    offset: float
    fake_above: float
    real_below: float
    false_positive_rate: float
    confidence: float
    deliveries: tuple[str, ...]
    miss_rate: float
    reals: int
    fakes: int

    def __post_init__(self) -> None:
        """Makes a tuple of deliveries that come from JSON."""
        object.__setattr__(self, "deliveries", tuple(self.deliveries))


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """Logits, higher for fakes, of images that a detector has not learned from.

    Attributes:
        delivered_reals: The same reals under each of the deliveries that the threshold is to hold under,
            shape (deliveries, reals).
        deliveries: Their names, shape (deliveries,).
        reals: The reals under a random chain each, shape (reals,).
        fakes: Fakes under a random chain each, shape (fakes,).
        generators: What drew each fake, shape (fakes,).
    """

    delivered_reals: np.ndarray
    deliveries: np.ndarray
    reals: np.ndarray
    fakes: np.ndarray
    generators: np.ndarray


def calibrate(
    scores: Scores, *, false_positive_rate: float, confidence: float = 0.95, miss_rate: float
) -> Calibration:
    """Sets probabilities and thresholds.

    The upper threshold keeps the false positive rate with the given confidence under all deliveries at
    once. Probabilities and the lower threshold are those of images under random chains of
    deliveries; nothing is promised of them.

    Args:
        scores: Logits of reals and fakes that the detector has not learned from.
        false_positive_rate: The bound on the share of reals called fake.
        confidence: How sure the bound is. Defaults to 0.95.
        miss_rate: The share of such fakes that may be called real.

    Returns:
        The calibration.

    Raises:
        InputError: If there are too few reals for rate, confidence and deliveries, or scores are not
            finite.
    """
    _check_finite(scores)
    fake_above = certificate.fake_threshold(
        scores.delivered_reals, false_positive_rate, confidence=confidence
    )
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
        confidence=confidence,
        deliveries=tuple(scores.deliveries.tolist()),
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


def _check_finite(scores: Scores) -> None:
    """A threshold among scores that are no numbers would call nothing fake."""
    for name in ("delivered_reals", "reals", "fakes"):
        if count := np.count_nonzero(~np.isfinite(getattr(scores, name))):
            raise InputError(
                f"calibration: expected finite logits, received NaN or infinity for {count:,} {name}; "
                f"the detector's training has failed"
            )


def _shares(generators: np.ndarray) -> np.ndarray:
    """The weight of each fake such that all generators weigh the same; the sum is 1."""
    _, positions, counts = np.unique(generators, return_inverse=True, return_counts=True)
    return (1 / counts / len(counts))[positions]
