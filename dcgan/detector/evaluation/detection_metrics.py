"""Metrics of one set of scores: ranking, decisions and probabilities."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy import stats
from sklearn import metrics

from dcgan.detector.threshold import Calibration

_BINS = 15
_CURVE_POINTS = 200

Scored = Mapping[str, dict[str, np.ndarray]]
"""What `Detector.score` returns for "reals" and for each generator's fakes."""


def measure_conditions(
    scored: Mapping[str, Scored], deliveries: Iterable[str], *, calibration: Calibration | None
) -> dict[str, Any]:
    """Measures a detector under each condition, and over all deliveries together.

    Args:
        scored: By condition, what `Detector.score` returned for "reals" and each generator's fakes.
        deliveries: The conditions that are deliveries.
        calibration: The detector's.

    Returns:
        `detector` by condition and generator, `summary` by condition, and over the deliveries
        `generators`, `false_positives`, `roc` and `reliability`.
    """
    rows = {condition: measure_all(scores) for condition, scores in scored.items()}
    delivered = {name: scored[name] for name in deliveries}
    joined = {
        name: {"p_fake": np.concatenate([scores[name]["p_fake"] for scores in delivered.values()])}
        for name in next(iter(delivered.values()))
    }
    decisions = {name: scores["reals"]["decision"] for name, scores in delivered.items()}
    return {
        "detector": rows,
        "summary": {condition: summarise(row) for condition, row in rows.items()},
        "generators": rank_generators({name: rows[name] for name in delivered}),
        "false_positives": false_positives(decisions, calibration),
        **curves(joined),
    }


def measure_all(scored: Scored) -> dict[str, dict[str, Any]]:
    """Returns what `measure` returns, by generator."""
    real, fakes = _split(scored)
    return {name: measure(real, fake) for name, fake in fakes.items()}


def rank_all(scores: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Returns what `rank` returns, by generator; `scores` hold "reals" and each generator's fakes."""
    real, fakes = _split(scores)
    return {name: rank(real, fake) for name, fake in fakes.items()}


def summarise(rows: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Returns mean and worst over the generators: AUROC and share found at 1 % false positives."""
    worst = min(rows, key=lambda name: rows[name]["auroc"])
    return {
        "mean_auroc": float(np.mean([row["auroc"] for row in rows.values()])),
        "worst_auroc": rows[worst]["auroc"],
        "worst": worst,
        "worst_tpr_at_fpr_1": min(row["tpr_at_fpr_1"] for row in rows.values()),
    }


def rank_generators(
    rows: Mapping[str, Mapping[str, dict[str, Any]]],
) -> dict[str, dict[str, float | str]]:
    """Returns each generator's mean and worst over the deliveries, the worst generator first.

    Args:
        rows: By delivery and generator, with an `auroc`.

    Returns:
        By generator: `mean_auroc`, `worst_auroc` and `worst_delivery`.
    """
    ranked: dict[str, dict[str, float | str]] = {}
    for generator in next(iter(rows.values())):
        values = {delivery: row[generator]["auroc"] for delivery, row in rows.items()}
        worst = min(values, key=lambda delivery: values[delivery])
        ranked[generator] = {
            "mean_auroc": float(np.mean(list(values.values()))),
            "worst_auroc": values[worst],
            "worst_delivery": worst,
        }
    return dict(sorted(ranked.items(), key=lambda entry: entry[1]["mean_auroc"]))


def curves(scored: Scored) -> dict[str, Any]:
    """Returns `roc` curves by generator, and the `reliability` of `p_fake` over all of them."""
    real, fakes = _split({name: scores["p_fake"] for name, scores in scored.items()})
    levels = np.linspace(0, 1, _CURVE_POINTS) ** 2
    cuts = np.append(np.quantile(real, 1 - levels[:-1]), -np.inf)
    found = {name: np.mean(fake >= cuts[:, np.newaxis], axis=1) for name, fake in fakes.items()}
    labels, probabilities, weights = pool(real, list(fakes.values()))
    claimed, true, mass = reliability(labels, probabilities, weights)
    return {
        "roc": {name: [levels.tolist(), shares.tolist()] for name, shares in found.items()},
        "reliability": {
            "claimed": claimed.tolist(),
            "found": true.tolist(),
            "mass": mass.tolist(),
            "ece": calibration_error(labels, probabilities, weights),
        },
    }


def false_positives(
    decisions: Mapping[str, np.ndarray], calibration: Calibration | None
) -> dict[str, Any]:
    """Compares the promised with the realised rates.

    Args:
        decisions: Decisions on reals by delivery, shape (count,) each.
        calibration: What promises the rate, if anything does.

    Returns:
        `reals` (how many), `realised` by delivery, `worst_delivery` and `worst`, its rate. With a
        calibration also `promised`, `confidence`, `deliveries`, `calibrated_on`, and `interval`: where
        95 of 100 samples of so many reals would lie at the promised rate. The worst is then one of the
        deliveries of the promise.
    """
    realised = {name: float(np.mean(values == 2)) for name, values in decisions.items()}
    count = len(next(iter(decisions.values())))
    among = realised if calibration is None else set(calibration.deliveries) & set(realised)
    worst = max(among, key=lambda name: (realised[name], name))
    report = {
        "reals": count,
        "realised": realised,
        "worst_delivery": worst,
        "worst": realised[worst],
    }
    if calibration is None:
        return report
    interval = stats.binom.interval(0.95, count, calibration.false_positive_rate)
    return report | {
        "promised": calibration.false_positive_rate,
        "confidence": calibration.confidence,
        "deliveries": list(calibration.deliveries),
        "calibrated_on": calibration.reals,
        "interval": [float(end) / count for end in interval],
    }


def measure(real: dict[str, np.ndarray], fake: dict[str, np.ndarray]) -> dict[str, float | list[float]]:
    """Measures a detector on reals and one generator's fakes.

    Args:
        real: What `Detector.score` returns for reals: `p_fake` and `decision`, shape (n,).
        fake: The same for fakes.

    Returns:
        `auroc` with its 95 % interval `auroc_interval`, and the other metrics of `rank` and
        `measure_decisions`.
    """
    interval = auroc_interval(real["p_fake"], fake["p_fake"])
    ranked = rank(real["p_fake"], fake["p_fake"])
    return {**ranked, "auroc_interval": interval, **measure_decisions(real, fake)}


def rank(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """Measures how well scores, higher for fakes, order reals and fakes.

    Args:
        real: Scores of reals, shape (n,).
        fake: Scores of fakes, shape (m,).

    Returns:
        `auroc`, `average_precision`, `eer` (equal error rate), and the true positive rates at false
        positive rates of 1 % and 0.1 %, `tpr_at_fpr_1` and `tpr_at_fpr_01`.
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
        `balanced_accuracy` of the decision "fake" against all others, `false_positive_rate`, `found`
        (fakes called fake), `miss_rate` (fakes called real), `unsure_rate`, `ece` (expected calibration
        error) and `brier`.
    """
    labels, probabilities = _join(real["p_fake"], fake["p_fake"])
    decisions = np.concatenate([real["decision"], fake["decision"]]) == 2
    weights = np.where(labels == 1, 0.5 / max(1, labels.sum()), 0.5 / max(1, (1 - labels).sum()))
    return {
        "balanced_accuracy": float(metrics.balanced_accuracy_score(labels, decisions)),
        "false_positive_rate": float(np.mean(real["decision"] == 2)),
        "found": float(np.mean(fake["decision"] == 2)),
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
    """Returns the mean distance between claimed and true shares of fakes, over the bins."""
    claimed, found, mass = reliability(labels, probabilities, weights)
    return float(np.sum(mass * np.abs(claimed - found)) / np.sum(mass))


def auroc_interval(real: np.ndarray, fake: np.ndarray) -> list[float]:
    """Returns the 95 % interval of the AUROC, normal by the variance of each score's rank.

    Args:
        real: Scores of reals, shape (n,), at least 2.
        fake: Scores of fakes, shape (m,), at least 2.

    Reference:
        DeLong et al., 1988, "Comparing the areas under two or more correlated receiver operating
        characteristic curves"
    """
    above, below = _shares_below(fake, real), 1 - _shares_below(real, fake)
    error = np.sqrt(above.var(ddof=1) / len(fake) + below.var(ddof=1) / len(real))
    ends = above.mean() + stats.norm.interval(0.95)[1] * error * np.array([-1, 1])
    return [float(end) for end in ends.clip(0, 1)]


def _shares_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The share of the others below each value, equal ones by half."""
    ordered = np.sort(others)
    sides = (
        np.searchsorted(ordered, values, side="left"),
        np.searchsorted(ordered, values, side="right"),
    )
    return (sides[0] + sides[1]) / (2 * len(others))


def pool(real: np.ndarray, fakes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joins scores: reals weigh a half, each generator an equal share of the other half.

    Args:
        real: Shape (n,).
        fakes: One array a generator.

    Returns:
        Labels, 1 for fakes, scores and weights, each of one length; the weights sum to 1.
    """
    counts = [len(real), *map(len, fakes)]
    shares = np.array([0.5, *[0.5 / len(fakes)] * len(fakes)])
    labels = np.repeat([0, *[1] * len(fakes)], counts)
    return labels, np.concatenate([real, *fakes]), np.repeat(shares / counts, counts)


def _split(scores: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    return scores["reals"], {name: value for name, value in scores.items() if name != "reals"}


def _join(real: np.ndarray, fake: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([0, 1], [len(real), len(fake)]), np.concatenate([real, fake])
