"""What a detector's evaluation stores in the report of its run."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dcgan.detector import saliency
from dcgan.detector.detector_model import Detector
from dcgan.detector.evaluation import conditions
from dcgan.report import Part

_SHOWN = 8
_CURVES = ("roc", "reliability")


def describe(
    report: Mapping[str, Any], detector: Detector, *, reals: np.ndarray, fakes: Mapping[str, np.ndarray]
) -> Part:
    """Makes the detector's part of a run's report.

    Args:
        report: What `holdout_evaluation.evaluate` returned.
        detector: The detector.
        reals: Some of the reals it was tested on, shape (count, height, width, channels), uint8.
        fakes: Fakes by holdout generator, likewise.
    """
    groups = {"reals": reals, **fakes}
    curves = {name: report[name] for name in _CURVES}
    return Part(
        name="detector",
        template="detector",
        metrics={name: value for name, value in report.items() if name not in _CURVES},
        facts={
            **curves,
            "checks": list(conditions.MATCHED),
            "heat_maps": list(groups),
        },
        arrays={
            f"heat_maps_{number}": _heat_maps(detector, images[:_SHOWN])
            for number, images in enumerate(groups.values())
        },
    )


def _heat_maps(detector: Detector, images: np.ndarray) -> np.ndarray:
    maps = saliency.heat_maps(detector, images)
    return np.stack([saliency.overlay(image, heat) for image, heat in zip(images, maps, strict=True)])
