"""What an evaluation stores in the report of its run: the parts "evaluation" and "run"."""

import dataclasses
import importlib.metadata
import math
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dcgan.data import class_labels
from dcgan.evaluation import nearest_images
from dcgan.evaluation.evaluated_run import EvaluatedRun
from dcgan.evaluation.measurements import Measurements
from dcgan.report import Part
from dcgan.runs import epoch_table

_PACKAGES = ("dcgan", "tensorflow", "keras", "numpy")
_GRID = 64
_NEIGHBORS = 10
_CLASS_ROWS, _CLASS_COLUMNS = 16, 8
# Charts of `metrics.csv`: label, what the names of its columns end with, whether logarithmic.
_CURVES = (
    ("Loss", "_loss", False),
    ("Accuracy of the discriminator", "_accuracy", False),
    ("Fréchet distance", "val_frechet_distance", True),
    ("KID", "val_kid", False),
)


def describe_samples(evaluated: EvaluatedRun, found: Measurements) -> Part:
    """Makes the part on the samples, with all that one must know to compare their metrics.

    Args:
        evaluated: What was evaluated.
        found: What was measured.
    """
    extractor, train, test = evaluated.extractor, evaluated.train, evaluated.test
    metrics = {
        "epochs": evaluated.trained.epochs,
        "training": evaluated.trained.describe(),
        "count": evaluated.count,
        "seed": evaluated.seed,
        "features": {
            name: getattr(extractor, name) for name in ("name", "trained_on", "accuracy", "digest")
        },
        "data": {
            "train": {"split": train.split, "count": len(evaluated.partition.trained_on.images)},
            "test": {"split": test.split, "count": len(test.images), "seen": evaluated.partition.seen},
        },
        "notes": list(evaluated.notes),
        "scores": {name: dataclasses.asdict(score) for name, score in found.scores.items()},
        "class_shares": _class_shares(found),
        "by_class": [dataclasses.asdict(each) for each in found.by_class],
        "nearest_training_image": {
            "features": _summarise(found.nearest_by_features),
            "pixels": _summarise(found.nearest_by_pixels),
        },
    }
    rows = _class_rows(evaluated, found)
    facts = {
        "class_rows": [class_labels.describe(label, train.class_names) for label in rows],
        "data": train.name,
        "image_shape": train.images.shape[1:],
        "higher_is_better": {name: score.higher_is_better for name, score in found.scores.items()},
        "interpolation_steps": found.interpolations.shape[1],
    }
    arrays = _arrays(evaluated, found)
    if rows:
        arrays["class_samples"] = np.concatenate(
            [found.samples[found.labels == label][:_CLASS_COLUMNS] for label in rows]
        )
    return Part(name="evaluation", template="samples", metrics=metrics, facts=facts, arrays=arrays)


def describe_run(evaluated: EvaluatedRun) -> Part:
    """Makes the part on how the run was made.

    Args:
        evaluated: What was evaluated.

    Raises:
        InputError: If the run's `metrics.csv` is damaged.
    """
    rows = [
        {name: value if math.isfinite(value) else None for name, value in row.items()}
        for row in evaluated.directory.read_metrics()
    ]
    metrics = {
        "configuration": dataclasses.asdict(evaluated.config),
        "last_epoch": rows[-1] if rows else {},
        "timings": _timings(evaluated),
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in _PACKAGES},
    }
    facts = {"epochs": rows, "curves": _curves(rows)}
    return Part(name="run", template="run", metrics=metrics, facts=facts)


def _arrays(evaluated: EvaluatedRun, found: Measurements) -> dict[str, np.ndarray]:
    """Returns what the page shows as pictures and histograms."""
    real = evaluated.test.images
    chosen = np.random.default_rng(evaluated.seed).permutation(len(real))[:_GRID]
    closest = np.argsort(found.nearest_by_features.samples.distances, kind="stable")[:_NEIGHBORS]
    walks = found.interpolations
    return {
        "samples": found.samples[:_GRID],
        "real": real[chosen],
        "interpolations": walks.reshape(-1, *walks.shape[2:]),
        "nearest_unselected": _neighbors(evaluated, found, np.arange(min(_NEIGHBORS, evaluated.count))),
        "nearest_closest": _neighbors(evaluated, found, closest),
        "features_samples": found.nearest_by_features.samples.distances,
        "features_test": found.nearest_by_features.test.distances,
        "pixels_samples": found.nearest_by_pixels.samples.distances,
        "pixels_test": found.nearest_by_pixels.test.distances,
    }


def _class_rows(evaluated: EvaluatedRun, found: Measurements) -> list[int]:
    """Returns the classes whose samples are shown, a row each."""
    if found.labels is None:
        return []
    counts = np.bincount(found.labels, minlength=evaluated.model.classes)
    shown = evaluated.model.spread_labels(_CLASS_ROWS)
    return [int(label) for label in shown if counts[label] >= _CLASS_COLUMNS]


def _neighbors(evaluated: EvaluatedRun, found: Measurements, rows: np.ndarray) -> np.ndarray:
    """Stacks samples on their nearest training images by features and those by pixels."""
    train = evaluated.train.images
    by_features = train[found.nearest_by_features.samples.rows[rows]]
    by_pixels = train[found.nearest_by_pixels.samples.rows[rows]]
    return np.concatenate([found.samples[rows], by_features, by_pixels])


def _curves(rows: Sequence[Mapping[str, float | None]]) -> list[tuple[str, list[str], bool]]:
    """Returns the charts that have something to show: label, names and whether logarithmic."""
    logged = dict.fromkeys(name for row in rows for name, value in row.items() if value is not None)
    charts = [
        (label, [name for name in logged if name.endswith(ending)], log)
        for label, ending, log in _CURVES
    ]
    return [chart for chart in charts if chart[1]]


def _timings(evaluated: EvaluatedRun) -> dict[str, float]:
    """Returns how long training took, from `timings.csv`; nothing where there is none."""
    rows, _ = epoch_table.read(evaluated.directory.timings)
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


def _class_shares(found: Measurements) -> list[dict[str, Any]] | None:
    if found.classes is None:
        return None
    names, real, samples = dataclasses.astuple(found.classes)
    return [
        {"class": name, "real": float(r), "samples": float(s)}
        for name, r, s in zip(names, real, samples, strict=True)
    ]


def _summarise(comparison: nearest_images.Comparison) -> dict[str, Any]:
    return {
        "samples": _quantiles(comparison.samples.distances),
        "test": _quantiles(comparison.test.distances),
        "close_share": comparison.close_share,
        "close_share_of_test": nearest_images.CLOSE,
    }


def _quantiles(distances: np.ndarray) -> dict[str, float]:
    smallest, low, median = np.quantile(distances, [0, 0.05, 0.5]).tolist()
    return {"smallest": smallest, "quantile_05": low, "median": median, "count": len(distances)}
