"""Figures of merit of one set of scores: ranking, decisions and probabilities."""

import numpy as np
from sklearn import metrics

_BINS = 15
_RESAMPLES = 200


def measure(
    real: dict[str, np.ndarray], fake: dict[str, np.ndarray], *, seed: int = 0
) -> dict[str, float | list[float]]:
    """Measures a detector on reals and one generator's fakes.

    Args:
        real: What `Detector.score` returns for reals: `p_fake` and `decision`, shape (n,).
        fake: The same for fakes.
        seed: Of the bootstrap. Defaults to 0.

    Returns:
        `auroc` with its 95 % bootstrap interval `auroc_interval`, and the other figures of
        `rank` and `measure_decisions`.
    """
    figures: dict[str, float | list[float]] = dict(rank(real["p_fake"], fake["p_fake"]))
    figures["auroc_interval"] = auroc_interval(real["p_fake"], fake["p_fake"], seed=seed)
    return figures | measure_decisions(real, fake)


def rank(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """Measures how well scores, higher for fakes, order reals and fakes.

    Args:
        real: Scores of reals, shape (n,).
        fake: Scores of fakes, shape (m,).

    Returns:
        `auroc`, `average_precision`, `eer` (the equal error rate), and the true positive rate at a false
        positive rate of 1 % and 0.1 %, `tpr_at_fpr_1` and `tpr_at_fpr_01`.
    """
    labels, scores = _join(real, fake)
    false_positives, found, _ = metrics.roc_curve(labels, scores)
    crossing = np.argmin(np.abs(1 - found - false_positives))
    return {
        "auroc": float(metrics.roc_auc_score(labels, scores)),
        "average_precision": float(metrics.average_precision_score(labels, scores)),
        "eer": float((1 - found[crossing] + false_positives[crossing]) / 2),
        "tpr_at_fpr_1": float(found[false_positives <= 0.01][-1]),
        "tpr_at_fpr_01": float(found[false_positives <= 0.001][-1]),
    }


def measure_decisions(real: dict[str, np.ndarray], fake: dict[str, np.ndarray]) -> dict[str, float]:
    """Measures decisions and probabilities, reals and fakes weighing the same.

    Args:
        real: `p_fake` and `decision` of reals.
        fake: The same of fakes.

    Returns:
        `balanced_accuracy` of the decision "fake" against all others, `false_positive_rate`, `miss_rate`
        (fakes called real), `unsure_rate`, `ece` (expected calibration error) and `brier`.
    """
    labels, probabilities = _join(real["p_fake"], fake["p_fake"])
    decisions = np.concatenate([real["decision"], fake["decision"]]) == 2
    weights = np.where(labels == 1, 0.5 / max(1, labels.sum()), 0.5 / max(1, (1 - labels).sum()))
    return {
        "balanced_accuracy": float(metrics.balanced_accuracy_score(labels, decisions)),
        "false_positive_rate": float(np.mean(real["decision"] == 2)),
        "miss_rate": float(np.mean(fake["decision"] == 0)),
        "unsure_rate": float(np.sum(weights * (np.r_[real["decision"], fake["decision"]] == 1))),
        "ece": calibration_error(labels, probabilities, weights),
        "brier": float(metrics.brier_score_loss(labels, probabilities, sample_weight=weights)),
    }


def reliability(
    labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bins probabilities: the mean probability, the share of fakes and the weight of each bin.

    Args:
        labels: 1 for fakes, shape (n,).
        probabilities: 0 to 1, shape (n,).
        weights: Shape (n,).

    Returns:
        Three arrays of one length; empty bins are left out.
    """
    bins = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    mass = np.bincount(bins, weights, _BINS)
    used = mass > 0
    claimed = np.bincount(bins, weights * probabilities, _BINS)[used] / mass[used]
    found = np.bincount(bins, weights * labels, _BINS)[used] / mass[used]
    return claimed, found, mass[used]


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> float:
    """Returns the mean distance between claimed and true shares of fakes over the bins."""
    claimed, found, mass = reliability(labels, probabilities, weights)
    return float(np.sum(mass * np.abs(claimed - found)) / np.sum(mass))


def auroc_interval(
    real: np.ndarray, fake: np.ndarray, *, seed: int, resamples: int = _RESAMPLES
) -> list[float]:
    """Returns the 95 % bootstrap interval of the AUROC, reals and fakes drawn anew apart."""
    rng = np.random.default_rng(seed)
    values = [
        metrics.roc_auc_score(*_join(rng.choice(real, len(real)), rng.choice(fake, len(fake))))
        for _ in range(resamples)
    ]
    return [float(value) for value in np.quantile(values, (0.025, 0.975))]


def _join(real: np.ndarray, fake: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([0, 1], [len(real), len(fake)]), np.concatenate([real, fake])
