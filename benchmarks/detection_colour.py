"""Measures colour detectors on CIFAKE, zero-shot and after learning from its fakes; prints JSON.

    python benchmarks/detection_colour.py WORK --reals DIR --fakes DIR --test-reals DIR --test-fakes DIR
        [--learn 100 1000 49080] [--lossless FILE] [--epochs 10] [--images 7584]

The folders are CIFAKE's `train/real`, `train/fake`, `test/real` and `test/fake`; a run of the preset
rgb32 is trained on the first in WORK (or found there) and its detector fitted. For each number of
training fakes, a copy of the run learns from so many, drawn at random. Every detector is measured on the
test part: fakes, partial fakes and where its heat maps see them, and photographs that were never JPEGs
(`--lossless`, such as `colour-fakes/reals32.npz`). Beside it stands a logistic regression on simple
statistics that has the same fakes. Finished stages are not repeated.
"""

import argparse
import functools
import json
import pathlib
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

import environment
import numpy as np
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dcgan
from dcgan import detector, presets
from dcgan.detector.delivery import deliveries
from dcgan.detector.delivery.named_deliveries import NAMED
from dcgan.detector.evaluation import simple_statistics
from dcgan.detector.fakes import partial_fakes
from dcgan.runs.run_directory import RunDirectory

DELIVERED = {
    "as they are": NAMED["as they are"],
    "jpeg 90": deliveries.chain(functools.partial(deliveries.jpeg, quality=90)),
    "jpeg 75": NAMED["jpeg 75"],
    "3/4 lanczos": NAMED["3/4 lanczos"],
    "crop 90": NAMED["crop 90"],
    "crop-jpeg-3/4-jpeg": NAMED["crop-jpeg-3/4-jpeg"],
}

LOOKED_AT = 2_000


def main() -> None:
    """Prints what each detector reaches."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    for name in ("--reals", "--fakes", "--test-reals", "--test-fakes"):
        parser.add_argument(name, required=True)
    parser.add_argument("--lossless")
    parser.add_argument("--learn", type=int, nargs="*", default=[100, 1_000, 49_080])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--images", type=int, default=7_584, help="Test images of each class.")
    arguments = parser.parse_args()
    run = train(arguments.reals, arguments.epochs, arguments.work)
    test = load_test(arguments)
    measure = functools.partial(measure_run, test=test)
    result = {"environment": environment.describe(), "epochs": arguments.epochs}
    result["zero-shot"] = once(run, lambda: detector.fit_run(run), measure)
    for count in arguments.learn:
        learner = copy(run, arguments.work / f"run_{count}")
        learn = functools.partial(learn_from, learner, arguments.fakes, count)
        result[f"learned {count}"] = once(learner, learn, measure)
        result[f"simple statistics {count}"] = measure_statistics(arguments, count, test)
    print(json.dumps(result, indent=1))
    show(result)


def train(reals: str, epochs: int, work: pathlib.Path) -> RunDirectory:
    """Trains a run on photographs unless it is finished; an interrupted one goes on."""
    run = RunDirectory(work / "run")
    if not run.model.is_file():
        config = presets.override(presets.get("rgb32"), data=reals, training={"epochs": epochs})
        dcgan.train(config, run.path, verbose=2)
    return run


def copy(run: RunDirectory, path: pathlib.Path) -> RunDirectory:
    """Copies a run with its detector, unless it is there."""
    if not path.is_dir():
        shutil.copytree(run.path, path.with_suffix(".tmp"), dirs_exist_ok=True)
        (path.with_suffix(".tmp") / "result.json").unlink(missing_ok=True)
        path.with_suffix(".tmp").rename(path)
    return RunDirectory(path)


def learn_from(run: RunDirectory, fakes: str, count: int) -> None:
    """Has a run learn from some fakes of a folder."""
    images = load(fakes)
    chosen = choose(images, count)
    # From files, for what is known of arrays is not that they were JPEGs.
    folder = run.path / "learned"
    folder.mkdir(exist_ok=True)
    for row in chosen.tolist():
        source = pathlib.Path(fakes, images.name_image(row))
        (folder / f"{row}{source.suffix}").write_bytes(source.read_bytes())
    detector.fit_run(run, learn={"cifake": folder})


def choose(images: dcgan.ImageSet, count: int) -> np.ndarray:
    """Draws which fakes to learn from."""
    return np.random.default_rng(0).permutation(len(images.images))[:count]


def measure_statistics(
    arguments: argparse.Namespace, count: int, test: dict[str, np.ndarray]
) -> dict[str, float]:
    """Measures what spectrum, gradients and grey levels alone tell after the same number of fakes.

    Returns:
        The AUROC of a logistic regression by delivery.
    """
    reals, fakes = load(arguments.reals), load(arguments.fakes)
    chosen = choose(reals, 10_000), choose(fakes, count)
    images = [part.images[np.sort(rows)] for part, rows in zip((reals, fakes), chosen, strict=True)]
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=2_000)
    )
    model.fit(simple_statistics.compute(np.concatenate(images)), np.repeat([0, 1], [*map(len, images)]))
    labels = np.repeat([0, 1], [len(test["reals"]), len(test["fakes"])])
    rows = {}
    for name, deliver in DELIVERED.items():
        delivered = np.concatenate([deliver(test["reals"], 0), deliver(test["fakes"], 1)])
        scores = model.decision_function(simple_statistics.compute(delivered))
        rows[name] = float(metrics.roc_auc_score(labels, scores))
    return rows


def once(
    run: RunDirectory, fit: Callable[[], Any], measure: Callable[[RunDirectory], dict[str, Any]]
) -> dict[str, Any]:
    """Fits and measures a run's detector, or reads what it gave before."""
    path = run.path / "result.json"
    if not path.is_file():
        started = time.perf_counter()
        fit()
        seconds = time.perf_counter() - started
        learned = json.loads((run.detector_files / "learned.json").read_text())
        path.write_text(json.dumps({"seconds": seconds, "learned": learned, **measure(run)}))
    return json.loads(path.read_text())


def load(source: str) -> dcgan.ImageSet:
    """Loads all images of a folder or a file, 32 px, RGB."""
    return dcgan.load_images(source, split="all", image_size=32, channels=3)


def load_test(arguments: argparse.Namespace) -> dict[str, np.ndarray]:
    """Loads the images to measure on, and makes partial fakes.

    How detectors learn was chosen while 2,000 images of each class were looked at: these are left out.
    """
    rng = np.random.default_rng(0)
    sets = {"reals": arguments.test_reals, "fakes": arguments.test_fakes, "lossless": arguments.lossless}
    test = {}
    for name, source in sets.items():
        if source:
            images = load(source).images
            others = np.random.default_rng(0).permutation(len(images))[LOOKED_AT:]
            test[name] = images[others[: arguments.images]]
    mixed, regions = partial_fakes.paste(test["fakes"], test["reals"], rng=rng)
    # Regions of reals have the same edges.
    control, _ = partial_fakes.paste(test["reals"], test["reals"], rng=rng)
    return {**test, "partial": mixed, "regions": regions, "control": control}


def measure_run(run: RunDirectory, *, test: dict[str, np.ndarray]) -> dict[str, Any]:
    """Measures a run's detector on the test images."""
    scorer = detector.load(run.detector)
    rows = {
        name: measure_delivery(scorer, deliver(test["reals"], 0), deliver(test["fakes"], 1))
        for name, deliver in DELIVERED.items()
    }
    result = {"fakes": rows, "partial": measure_partial(scorer, test)}
    if "lossless" in test:
        decisions = scorer.score(test["lossless"])["decision"]
        shares = np.bincount(decisions, minlength=3) / len(decisions)
        result["lossless"] = dict(zip(dcgan.scoring.DECISIONS, shares.tolist(), strict=False))
    return result


def measure_delivery(
    scorer: detector.Detector, reals: np.ndarray, fakes: np.ndarray
) -> dict[str, float]:
    """Returns the AUROC, and what is right at the shipped threshold and at a probability of a half."""
    labels = np.repeat([0, 1], [len(reals), len(fakes)])
    scores = scorer.score(np.concatenate([reals, fakes]))
    called = scores["decision"] == 2
    return {
        "auroc": float(metrics.roc_auc_score(labels, scorer.raw_scores(np.concatenate([reals, fakes])))),
        "balanced_accuracy": float(metrics.balanced_accuracy_score(labels, scores["p_fake"] > 0.5)),
        "found": float(called[labels == 1].mean()),
        "reals_called_fake": float(called[labels == 0].mean()),
    }


def measure_partial(
    scorer: detector.Detector, test: dict[str, np.ndarray], *, mapped: int = 1_000
) -> dict[str, float]:
    """Returns AUROCs: of partial fakes, and of the heat maps over their pixels, in the mean.

    `control_auroc` is that of reals with a region of another real, `against_control_auroc` that of
    partial fakes against those: what is told by more than the region's edge.
    """
    scores = {name: scorer.raw_scores(test[name]) for name in ("reals", "partial", "control")}

    def rank(negatives: str, positives: str) -> float:
        parts = scores[negatives], scores[positives]
        labels = np.repeat([0, 1], [len(part) for part in parts])
        return float(metrics.roc_auc_score(labels, np.concatenate(parts)))

    heat = detector.heat_maps(scorer, test["partial"][:mapped])
    inside = test["regions"][:mapped]
    pixels = [
        metrics.roc_auc_score(region.ravel(), map_.ravel())
        for region, map_ in zip(inside, heat, strict=True)
    ]
    return {
        "auroc": rank("reals", "partial"),
        "control_auroc": rank("reals", "control"),
        "against_control_auroc": rank("control", "partial"),
        "heat_map_auroc": float(np.mean(pixels)),
    }


def show(result: dict[str, Any]) -> None:
    """Prints a line for each detector and delivery to standard error."""
    for name, row in result.items():
        if isinstance(row, dict) and "fakes" in row:
            print(
                f"{name}: {row['seconds']:.0f} s, {row['partial']}",
                row.get("lossless", ""),
                file=sys.stderr,
            )
            for delivery, values in row["fakes"].items():
                shown = "  ".join(f"{key} {value:.4f}" for key, value in values.items())
                print(f"  {delivery:20}{shown}", file=sys.stderr)


if __name__ == "__main__":
    main()
