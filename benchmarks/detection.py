"""Measures `dcgan detect` on generators it has not seen, as their images arrive; prints JSON.

    python benchmarks/detection.py WORK [--data mnist] [--seeds 0 1 2] [--fakes NAME=PATH ...]

For each seed, a run of the default preset is trained in WORK (or found there), its detector fitted and
evaluated. Finished stages are not repeated: the command goes on where it was interrupted. A table goes
to standard error: by delivery, the mean AUROC over the generators and the reals called fake.

The holdout generators are those of `dcgan detect` (the run's GAN under another seed and a small
diffusion model, trained briefly, a variational autoencoder and a PCA mixture), and any that `--fakes`
adds, such as samples of another program or of a run of the same preset that was trained in full.
"""

import argparse
import csv
import json
import pathlib
import sys
import time
from typing import Any

import environment
import numpy as np

import dcgan
from dcgan import detector, presets
from dcgan.config import RunConfig
from dcgan.runs.run_directory import RunDirectory


def main() -> None:
    """Prints what each seed gave."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--fakes", nargs="*", default=[], metavar="NAME=PATH")
    arguments = parser.parse_args()
    fakes = dict(value.split("=", 1) for value in arguments.fakes)
    rows = [measure(arguments.data, seed, arguments.work, fakes) for seed in arguments.seeds]
    table = tabulate(rows)
    result = {
        "environment": environment.describe(),
        "data": arguments.data,
        "table": table,
        "seeds": rows,
    }
    print(json.dumps(result, indent=1))
    show(rows, table)


def configure(name: str, seed: int) -> RunConfig:
    """Returns the default preset on a data set."""
    return presets.override(presets.get("mnist"), data=name, seed=seed)


def train(name: str, seed: int, work: pathlib.Path) -> RunDirectory:
    """Trains a run unless it is finished; an interrupted one goes on."""
    run = RunDirectory(work / f"run_{seed}")
    if not run.model.is_file():
        dcgan.train(configure(name, seed), run.path)
    return run


def measure(name: str, seed: int, work: pathlib.Path, fakes: dict[str, str]) -> dict[str, Any]:
    """Fits and evaluates one seed's detector, or reads what it gave before."""
    result = work / f"result_{seed}.json"
    if result.is_file():
        return json.loads(result.read_text())
    run = train(name, seed, work)
    with run.timings.open(newline="") as file:
        trained = sum(float(row["seconds"]) for row in csv.DictReader(file))
    seconds = fit(run, seed, work)
    fitted = detector.load_fitted(run)
    started = time.perf_counter()
    report = detector.evaluate_run(run, fitted, fakes=fakes)
    row = {
        "seed": seed,
        "gan_seconds": trained,
        "fit_seconds": seconds,
        "evaluation_seconds": time.perf_counter() - started,
        "images_per_second": speed(fitted.detector),
        **{key: value for key, value in report.items() if key not in ("roc", "reliability")},
        "ece": report["reliability"]["ece"],
    }
    result.write_text(json.dumps(row))
    return row


def fit(run: RunDirectory, seed: int, work: pathlib.Path) -> float:
    """Fits a run's detector unless it is there; returns the seconds it took."""
    result = work / f"fit_seconds_{seed}.json"
    if not result.is_file():
        started = time.perf_counter()
        detector.fit_run(run, seed=seed)
        result.write_text(json.dumps(time.perf_counter() - started))
    return json.loads(result.read_text())


def speed(scorer: detector.Detector, *, rounds: int = 5) -> float:
    """Returns how many images a second the detector scores, the best of some rounds."""
    images = np.random.default_rng(0).integers(0, 256, (4_096, *scorer.image_shape), np.uint8)
    scorer.score(images)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        scorer.score(images)
        times.append(time.perf_counter() - started)
    return len(images) / min(times)


def tabulate(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Returns AUROC, mean and worst, and reals called fake by delivery, over seeds and generators."""
    table = {}
    for name in rows[0]["summary"]:
        aurocs = [part["auroc"] for row in rows for part in row["detector"][name].values()]
        table[name] = {"mean_auroc": float(np.mean(aurocs)), "worst_auroc": min(aurocs)}
        rates = [row["false_positives"]["realised"].get(name) for row in rows]
        if None not in rates:
            table[name] |= {"reals_called_fake": float(np.mean(rates)), "worst_rate": max(rates)}
    return table


def show(rows: list[dict[str, Any]], table: dict[str, dict[str, float]]) -> None:
    """Prints the table, a line a delivery, then what each seed's report says first."""
    columns = list(next(iter(table.values())))
    print(f"{'delivery':30}", *(f"{name:>18}" for name in columns), file=sys.stderr)
    for name, values in table.items():
        print(f"{name:30}", *(f"{value:18.4f}" for value in values.values()), file=sys.stderr)
    for key in ("gan_seconds", "fit_seconds", "evaluation_seconds", "images_per_second", "ece"):
        print(f"{key:30}", *(f"{row[key]:18.3f}" for row in rows), file=sys.stderr)
    for row in rows:
        print(f"seed {row['seed']}", file=sys.stderr)
        for text in row["headline"]["warnings"] + row["headline"]["sentences"]:
            print(f"  {text}", file=sys.stderr)


if __name__ == "__main__":
    main()
