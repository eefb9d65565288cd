"""Metrics that are hard to fool: holdout generators, matched histograms, corrupted images, baselines.

Thresholds stay as they were calibrated; reals and fakes are treated alike.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dcgan.detector.detector_model import Detector
from dcgan.detector.evaluation import conditions, detection_metrics
from dcgan.detector.evaluation.baselines import Scorer
from dcgan.detector.evaluation.conditions import HISTOGRAM_MATCHED
from dcgan.detector.fit_progress import Progress, ignore

_RAW = "raw discriminator"


def evaluate(
    detector: Detector,
    reals: np.ndarray,
    fakes: Mapping[str, np.ndarray],
    *,
    baselines: Mapping[str, Scorer] | None = None,
    folds: Mapping[str, Detector] | None = None,
    seed: int = 0,
    progress: Progress = ignore,
) -> dict[str, Any]:
    """Evaluates a detector on unseen reals and on the fakes of holdout generators.

    Args:
        detector: A calibrated detector.
        reals: Unseen reals, shape (count, height, width, channels), uint8.
        fakes: Fakes by holdout generator, likewise.
        baselines: Scorers to compare with by name, beside the discriminator as it is. Defaults to none.
        folds: By family, a detector that has not learned from it: further rows of the matrix. Defaults
            to none.
        seed: Seed of histogram matching and bootstrap. Defaults to 0.
        progress: Called after each condition. Defaults to nothing.

    Returns:
        JSON values: `detector` by condition and generator with all of `detection_metrics.measure`,
        `baselines` by name, condition and generator, `matrix` (AUROC, histogram-matched) by what was
        learned from and generator, `summary` by condition, `false_positives`, and the curves
        `roc` and `reliability` of the histogram-matched fakes.
    """
    baselines, folds = baselines or {}, folds or {}
    report: dict[str, Any] = {
        "counts": {"reals": len(reals), **{name: len(images) for name, images in fakes.items()}},
        "detector": {},
        "baselines": {name: {} for name in (_RAW, *baselines)},
        "summary": {},
    }
    everything = conditions.list_all()
    for done, condition in enumerate(everything, 1):
        changed_reals, changed = condition.apply(reals, fakes, seed=seed)
        images = {"reals": changed_reals, **changed}
        scored = {name: detector.score(part) for name, part in images.items()}
        compared = {name: _scores(scorer, images) for name, scorer in baselines.items()}
        compared[_RAW] = {name: -scores["discriminator_logit"] for name, scores in scored.items()}
        rows = detection_metrics.measure_all(scored, seed=seed)
        report["detector"][condition.name] = rows
        report["summary"][condition.name] = detection_metrics.summarise(rows)
        for name, scores in compared.items():
            report["baselines"][name][condition.name] = detection_metrics.rank_all(scores)
        if condition.name == HISTOGRAM_MATCHED:
            learned = {"all families": _scores(detector.raw_scores, images)}
            for name, fold in folds.items():
                learned[f"without {name}"] = _scores(fold.raw_scores, images)
            report["matrix"] = detection_metrics.auroc_matrix(learned)
            report |= detection_metrics.curves(scored)
            report["false_positives"] = detection_metrics.false_positives(
                scored["reals"]["decision"], detector.calibration
            )
        progress("evaluation", done / len(everything))
    return report


def _scores(scorer: Scorer, images: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: scorer(part) for name, part in images.items()}
