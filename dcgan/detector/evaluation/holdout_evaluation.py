"""Metrics that are hard to fool: unseen generators, matched histograms, corrupted images, baselines.

Everything here leaves thresholds as they were calibrated; reals and fakes are treated alike.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import stats

from dcgan.detector import corruptions
from dcgan.detector.detector_model import Detector
from dcgan.detector.evaluation import detection_metrics
from dcgan.detector.evaluation.baselines import Scorer
from dcgan.detector.fakes import histogram_matching

_BATCH = 500
_CURVE_POINTS = 200

CLEAN, HISTOGRAM_MATCHED, MATCHED_INDIVIDUALLY = (
    "clean",
    "histogram-matched",
    "histogram-matched one by one",
)


@dataclasses.dataclass(frozen=True)
class Condition:
    """What is done to the images before they are scored.

    Attributes:
        name: "clean", "histogram-matched" or "histogram-matched, jpeg 75" and the like.
        match: Gives fakes the pixel values of reals, see `histogram_matching`; None for nothing.
        corruption: A key of `corruptions.CORRUPTIONS` or None.
    """

    name: str
    match: Callable[..., np.ndarray] | None
    corruption: str | None


def conditions() -> tuple[Condition, ...]:
    """Returns all conditions, the mildest first: clean, histogram-matched, and also corrupted."""
    corrupted = [
        Condition(f"{HISTOGRAM_MATCHED}, {name}", histogram_matching.match_histograms, name)
        for name in corruptions.CORRUPTIONS
    ]
    return (
        Condition(CLEAN, None, None),
        Condition(HISTOGRAM_MATCHED, histogram_matching.match_histograms, None),
        Condition(MATCHED_INDIVIDUALLY, histogram_matching.match_histograms_individually, None),
        *corrupted,
    )


def evaluate(
    detector: Detector,
    reals: np.ndarray,
    fakes: dict[str, np.ndarray],
    *,
    baselines: dict[str, Scorer] | None = None,
    folds: dict[str, Detector] | None = None,
    seed: int = 0,
    on_step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Evaluates a detector on reals and on the fakes of generators that it has not seen.

    Args:
        detector: Calibrated.
        reals: Unseen reals, shape (count, height, width, channels), uint8.
        fakes: Unseen generators' fakes by name, likewise.
        baselines: What to compare with, by name. Defaults to None.
        folds: Detectors kept from a family each, by family: further rows of the matrix. Defaults to
            None.
        seed: Of histogram matching and bootstrap. Defaults to 0.
        on_step: Called after each condition. Defaults to nothing.

    Returns:
        JSON values: `detector` by condition and generator with all figures of `measures.measure`,
        `baselines` by name, condition and generator, `matrix` (AUROC, histogram-matched) by what was
        learned from and generator, `summary` by condition, `false_positives`, and the curves
        `roc` and `reliability` of the histogram-matched fakes.
    """
    report: dict[str, Any] = {
        "counts": {"reals": len(reals), **{name: len(part) for name, part in fakes.items()}},
        "detector": {},
        "baselines": {name: {} for name in baselines or {}},
        "matrix": {},
    }
    for condition in conditions():
        changed_reals, changed = _prepare(condition, reals, fakes, seed=seed)
        real = detector.score(changed_reals)
        fake = {name: detector.score(images) for name, images in changed.items()}
        report["detector"][condition.name] = {
            name: detection_metrics.measure(real, scores, seed=seed) for name, scores in fake.items()
        }
        for name, scorer in (baselines or {}).items():
            report["baselines"][name][condition.name] = _rank_all(scorer, changed_reals, changed)
        if condition.name == HISTOGRAM_MATCHED:
            report["matrix"] = _matrix(detector, folds or {}, changed_reals, changed)
            report |= _curves(real, fake)
            report["false_positives"] = _false_positives(detector, real["decision"] == 2)
        on_step()
    report["summary"] = {name: summarise(rows) for name, rows in report["detector"].items()}
    return report


def summarise(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Returns the mean and the worst of the generators: AUROC and share found at 1 % false positives."""
    worst = min(rows, key=lambda name: rows[name]["auroc"])
    found = min(rows, key=lambda name: rows[name]["tpr_at_fpr_1"])
    return {
        "mean_auroc": float(np.mean([row["auroc"] for row in rows.values()])),
        "worst_auroc": rows[worst]["auroc"],
        "worst": worst,
        "worst_tpr_at_fpr_1": rows[found]["tpr_at_fpr_1"],
    }


def corrupt(images: np.ndarray, name: str | None) -> np.ndarray:
    """Applies a corruption to a stack of any length.

    Args:
        images: Shape (count, height, width, channels), uint8.
        name: A key of `corruptions.CORRUPTIONS`, or None for none.
    """
    if name is None:
        return images
    graph = tf.function(
        corruptions.CORRUPTIONS[name],
        input_signature=[tf.TensorSpec((None, *images.shape[1:]), tf.uint8)],
        autograph=False,
    )
    starts = range(0, len(images), _BATCH)
    return np.concatenate([graph(tf.constant(images[start : start + _BATCH])) for start in starts])


def _prepare(
    condition: Condition, reals: np.ndarray, fakes: dict[str, np.ndarray], *, seed: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    changed = dict(fakes)
    if condition.match:
        changed = {name: condition.match(images, reals, seed=seed) for name, images in fakes.items()}
    return corrupt(reals, condition.corruption), {
        name: corrupt(images, condition.corruption) for name, images in changed.items()
    }


def _rank_all(
    scorer: Scorer, reals: np.ndarray, fakes: dict[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    real = scorer(reals)
    return {name: detection_metrics.rank(real, scorer(images)) for name, images in fakes.items()}


def _matrix(
    detector: Detector, folds: dict[str, Detector], reals: np.ndarray, fakes: dict[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """AUROC by what was learned from, a row each, and generator."""
    rows = {"all families": detector, **{f"without {name}": fold for name, fold in folds.items()}}
    return {
        row: {
            name: figures["auroc"]
            for name, figures in _rank_all(scorer.raw_scores, reals, fakes).items()
        }
        for row, scorer in rows.items()
    }


def _curves(real: dict[str, np.ndarray], fake: dict[str, dict[str, np.ndarray]]) -> dict[str, Any]:
    """ROC curves by generator, and the reliability of `p_fake` over all of them."""
    roc = {}
    for name, scores in fake.items():
        levels = np.linspace(0, 1, _CURVE_POINTS) ** 2
        cuts = np.quantile(real["p_fake"], 1 - levels)
        found = 1 - np.searchsorted(np.sort(scores["p_fake"]), cuts) / len(scores["p_fake"])
        roc[name] = [levels.tolist(), found.tolist()]
    labels, probabilities, weights = pooled(real["p_fake"], [s["p_fake"] for s in fake.values()])
    claimed, found, mass = detection_metrics.reliability(labels, probabilities, weights)
    return {
        "roc": roc,
        "reliability": {
            "claimed": claimed.tolist(),
            "found": found.tolist(),
            "mass": mass.tolist(),
            "ece": detection_metrics.calibration_error(labels, probabilities, weights),
        },
    }


def pooled(real: np.ndarray, fakes: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joins scores: reals weigh a half, each generator an equal share of the other.

    Args:
        real: Shape (n,).
        fakes: One array a generator.

    Returns:
        Labels, 1 for fakes, scores and weights, each of one length; the weights sum to 1.
    """
    parts = [real, *fakes]
    labels = np.repeat([0, *[1] * (len(parts) - 1)], [len(part) for part in parts])
    shares = [0.5, *[0.5 / (len(parts) - 1)] * (len(parts) - 1)]
    weights = [np.full(len(part), share / len(part)) for part, share in zip(parts, shares, strict=True)]
    return labels, np.concatenate(parts), np.concatenate(weights)


def _false_positives(detector: Detector, alarms: np.ndarray) -> dict[str, Any]:
    """Compares what was promised with what came, with the binomial 95 % interval of the promise."""
    calibration = detector.calibration
    if calibration is None:
        return {"realised": float(alarms.mean())}
    promised = calibration.false_positive_rate
    low, high = stats.binom.interval(0.95, len(alarms), promised)
    return {
        "promised": promised,
        "realised": float(alarms.mean()),
        "interval": [float(low) / len(alarms), float(high) / len(alarms)],
        "reals": len(alarms),
    }


def steps() -> int:
    """Returns how often `evaluate` calls `on_step`."""
    return len(conditions())


def generators(report: dict[str, Any]) -> Iterator[str]:
    """Yields the names of a report's generators."""
    return (name for name in report["counts"] if name != "reals")
