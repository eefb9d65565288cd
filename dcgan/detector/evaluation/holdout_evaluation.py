"""Metrics that are hard to fool: holdout generators, images as they arrive, baselines.

Thresholds stay as they were calibrated; reals and fakes are treated alike.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from dcgan.detector.delivery.named_deliveries import NAMED
from dcgan.detector.detector_model import Detector
from dcgan.detector.evaluation import conditions, detection_metrics
from dcgan.detector.evaluation.baselines import Scorer
from dcgan.detector.fit_progress import Progress, ignore

_RAW = "raw discriminator"


def evaluate(
    detector: Detector,
    reals: np.ndarray,
    fakes: Mapping[str, np.ndarray],
    *,
    baselines: Mapping[str, Scorer] | None = None,
    seed: int = 0,
    progress: Progress = ignore,
) -> dict[str, Any]:
    """Evaluates a detector on unseen reals and on the fakes of holdout generators.

    Args:
        detector: A calibrated detector.
        reals: Unseen reals, shape (count, height, width, channels), uint8.
        fakes: Fakes by holdout generator, likewise.
        baselines: Scorers to compare with by name, beside the discriminator as it is. Defaults to none.
        seed: Seed of deliveries and histogram matching. Defaults to 0.
        progress: Called after each condition. Defaults to nothing.

    Returns:
        JSON values: `detector` by condition and generator with all of `detection_metrics.measure`,
        `baselines` by name, condition and generator, `summary` by condition, `generators` (mean and
        worst over the deliveries, the worst generator first), `false_positives`, and the curves `roc`
        and `reliability` over all deliveries together.
    """
    baselines = baselines or {}
    report: dict[str, Any] = {
        "counts": {"reals": len(reals), **{name: len(images) for name, images in fakes.items()}},
        "detector": {},
        "baselines": {name: {} for name in (_RAW, *baselines)},
    }
    delivered: dict[str, list[dict[str, np.ndarray]]] = defaultdict(list)
    each = conditions.apply_each(reals, fakes, seed=seed)
    for done, (condition, images) in enumerate(each, 1):
        scored = {name: detector.score(part) for name, part in images.items()}
        compared = {name: _scores(scorer, images) for name, scorer in baselines.items()}
        compared[_RAW] = {name: -scores["discriminator_logit"] for name, scores in scored.items()}
        report["detector"][condition] = detection_metrics.measure_all(scored)
        for name, scores in compared.items():
            report["baselines"][name][condition] = detection_metrics.rank_all(scores)
        if condition in NAMED:
            for name, values in scored.items():
                delivered[name].append(values)
        progress("evaluation", done / (len(NAMED) + len(conditions.MATCHED)))
    return report | _summarise(report["detector"], delivered, detector)


def _summarise(
    rows: dict[str, Any], delivered: Mapping[str, list[dict[str, np.ndarray]]], detector: Detector
) -> dict[str, Any]:
    decisions = {
        name: values["decision"] for name, values in zip(NAMED, delivered["reals"], strict=True)
    }
    joined = {
        name: {"p_fake": np.concatenate([values["p_fake"] for values in parts])}
        for name, parts in delivered.items()
    }
    return {
        "summary": {name: detection_metrics.summarise(row) for name, row in rows.items()},
        "generators": detection_metrics.rank_generators({name: rows[name] for name in NAMED}),
        "false_positives": detection_metrics.false_positives(decisions, detector.calibration),
        **detection_metrics.curves(joined),
    }


def _scores(scorer: Scorer, images: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: scorer(part) for name, part in images.items()}
