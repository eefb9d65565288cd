"""Metrics that are hard to fool: holdout generators, images as they arrive, baselines.

Thresholds stay as they were calibrated; reals and fakes are treated alike.
"""

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

    Example:
        >>> detector = dcgan.detector.load("runs/mnist/detector.keras")
        >>> report = dcgan.detector.evaluate(detector, images[:100], {"darkened": images[100:200] // 2})
        >>> 0 <= report["generators"]["darkened"]["mean_auroc"] <= 1
        True
    """
    scorers = baselines or {}
    scored: dict[str, detection_metrics.Scored] = {}
    compared: dict[str, dict[str, dict[str, np.ndarray]]] = {name: {} for name in (_RAW, *scorers)}
    each = conditions.apply_each(reals, fakes, seed=seed)
    for done, (condition, images) in enumerate(each, 1):
        scored[condition] = {name: detector.score(part) for name, part in images.items()}
        for label, scorer in scorers.items():
            compared[label][condition] = {name: scorer(part) for name, part in images.items()}
        compared[_RAW][condition] = {
            name: -scores["discriminator_logit"] for name, scores in scored[condition].items()
        }
        progress("evaluation", done / (len(NAMED) + len(conditions.MATCHED)))
    return {
        "counts": {"reals": len(reals), **{name: len(images) for name, images in fakes.items()}},
        "baselines": {
            name: {condition: detection_metrics.rank_all(row) for condition, row in rows.items()}
            for name, rows in compared.items()
        },
        **detection_metrics.measure_conditions(scored, NAMED, calibration=detector.calibration),
    }
