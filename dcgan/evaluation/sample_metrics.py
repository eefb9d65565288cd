"""What `report.json` holds of an evaluation."""

import dataclasses
import importlib.metadata
import math
import platform
from collections.abc import Sequence
from typing import Any

import numpy as np

from dcgan.evaluation import nearest_images
from dcgan.evaluation.evaluated_run import Subject
from dcgan.evaluation.measurements import Findings
from dcgan.runs import epoch_table

_PACKAGES = ("dcgan", "tensorflow", "keras", "numpy")


def of_samples(subject: Subject, findings: Findings) -> dict[str, Any]:
    """Returns the figures of the samples, with all that one must know to compare them.

    Args:
        subject: What was evaluated.
        findings: What came out.

    Returns:
        JSON values.
    """
    extractor = subject.extractor
    return {
        "epochs": subject.epochs,
        "count": subject.count,
        "seed": subject.seed,
        "features": {
            name: getattr(extractor, name) for name in ("name", "trained_on", "accuracy", "digest")
        },
        "data": {
            "train": {"split": subject.train.split, "count": len(subject.train.images)},
            "test": {"split": subject.test.split, "count": len(subject.test.images)},
        },
        "notes": list(subject.notes),
        "scores": {name: dataclasses.asdict(score) for name, score in findings.scores.items()},
        "class_shares": _class_shares(findings),
        "nearest_training_image": {
            "features": _of_comparison(findings.features),
            "pixels": _of_comparison(findings.pixels),
        },
    }


def of_run(subject: Subject) -> dict[str, Any]:
    """Returns the run's configuration, the last epoch's logs, its training times and versions.

    Args:
        subject: What was evaluated.

    Returns:
        JSON values.
    """
    rows = subject.run.read_metrics()
    last = {name: _finite(value) for name, value in rows[-1].items()} if rows else {}
    return {
        "configuration": dataclasses.asdict(subject.config),
        "last_epoch": last,
        "timings": timings(subject),
        "versions": versions(),
    }


def timings(subject: Subject) -> dict[str, float]:
    """Returns how long training took, from `timings.csv`; nothing where there is none."""
    rows, _ = epoch_table.read(subject.run.timings)
    seconds = [float(row["seconds"]) for row in rows if row.get("seconds")]
    speeds = [float(row["steps_per_second"]) for row in rows if row.get("steps_per_second")]
    if not seconds or not speeds:
        return {}
    return {
        "epochs": len(seconds),
        "seconds": round(sum(seconds), 3),
        "seconds_an_epoch": round(float(np.median(seconds)), 3),
        "steps_per_second": round(float(np.median(speeds)), 3),
    }


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that decide the figures."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version()} | found


def _class_shares(findings: Findings) -> list[dict[str, Any]] | None:
    if findings.classes is None:
        return None
    names, real, samples = dataclasses.astuple(findings.classes)
    return [
        {"class": name, "real": float(r), "samples": float(s)}
        for name, r, s in zip(names, real, samples, strict=True)
    ]


def _of_comparison(comparison: nearest_images.Comparison) -> dict[str, Any]:
    return {
        "samples": _quantiles(comparison.samples.distances),
        "test": _quantiles(comparison.test.distances),
        "close_share": comparison.close_share,
        "close_share_of_test": nearest_images.CLOSE,
    }


def _quantiles(distances: np.ndarray) -> dict[str, float]:
    values = np.quantile(distances, [0, 0.05, 0.5])
    names: Sequence[str] = ("smallest", "quantile_05", "median")
    return dict(zip(names, map(float, values), strict=True)) | {"count": len(distances)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
