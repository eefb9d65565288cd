"""Measures `dcgan detect` on generators it has not seen; prints JSON, and a table to standard error.

    python benchmarks/detection.py WORK [--data mnist] [--seeds 0 1 2] [--without-kin 0 1 2]
        [--fakes NAME=PATH ...]

For each seed, a run of the default preset is trained in WORK (or found there), its detector fitted and
evaluated. Finished stages are not repeated: the command goes on where it was interrupted.

The holdout generators are this project's default preset under another seed, a small diffusion model
(`benchmarks/diffusion.py`), the variational autoencoder and the PCA mixture of `dcgan detect
evaluate`, and any that `--fakes` adds, such as samples of another program. For the seeds that
`--without-kin` names, another detector is fitted on the same pool without denoisers and tested on the
diffusion model.
"""

import argparse
import csv
import json
import pathlib
import sys
import time
from typing import Any

import diffusion
import environment
import numpy as np

import dcgan
from dcgan import detector, presets, sampling
from dcgan.config import RunConfig
from dcgan.detector.evaluation import detection_metrics
from dcgan.runs.run_directory import RunDirectory

_OTHER_SEED = 1_000
_FAKES = 2_000


def main() -> None:
    """Prints what each seed gave."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--without-kin", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--fakes", nargs="*", default=[], metavar="NAME=PATH")
    arguments = parser.parse_args()
    fakes = make_test_fakes(arguments.data, arguments.work)
    fakes |= dict(value.split("=", 1) for value in arguments.fakes)
    rows = [measure(arguments.data, seed, arguments.work, fakes) for seed in arguments.seeds]
    for row in rows:
        if row["seed"] in arguments.without_kin:
            ranked = without_kin(arguments.work, fakes["diffusion"], seed=row["seed"])
            row["diffusion_kin_left_out"] = ranked
    print(
        json.dumps(
            {"environment": environment.describe(), "data": arguments.data, "seeds": rows}, indent=1
        )
    )
    show(rows)


def make_test_fakes(name: str, work: pathlib.Path) -> dict[str, str]:
    """Returns files by holdout generator, for those that the evaluation lacks; draws missing ones."""
    drawn = {"default, other seed": work / "other_seed.npz", "diffusion": work / "diffusion.npz"}
    if not drawn["default, other seed"].is_file():
        run = train(name, _OTHER_SEED, work)
        samples = sampling.draw(sampling.load_model(run.newest_model()), _FAKES)
        sampling.write(samples, npz=drawn["default, other seed"])
    if not drawn["diffusion"].is_file():
        reals = detector.Reals.load(configure(name, _OTHER_SEED)).train
        sampling.write(diffusion.draw(reals, count=_FAKES, seed=_OTHER_SEED), npz=drawn["diffusion"])
    return {key: str(path) for key, path in drawn.items()}


def configure(name: str, seed: int) -> RunConfig:
    """Returns the default preset on a data set."""
    return presets.override(presets.get("mnist"), data=name, seed=seed)


def train(name: str, seed: int, work: pathlib.Path) -> RunDirectory:
    """Trains a run unless it is finished; an interrupted one goes on."""
    run = RunDirectory(work / f"run_{seed}")
    if not run.model.is_file():
        dcgan.train(configure(name, seed), run.path, verbose=2)
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
    report = detector.evaluate_run(run, fitted, fakes=fakes)
    row = {
        "seed": seed,
        "gan_seconds": trained,
        "fit_seconds": seconds,
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


def without_kin(work: pathlib.Path, fakes: str, *, seed: int) -> dict[str, float]:
    """Ranks histogram-matched diffusion fakes by a detector fitted without denoisers."""
    result = work / f"without_kin_{seed}.json"
    if result.is_file():
        return json.loads(result.read_text())
    run = RunDirectory(work / f"run_{seed}")
    whole = detector.load_fitted(run)
    discriminator = sampling.load_model(run.newest_model()).discriminator
    pool, reals = whole.pool.where(whole.pool.families != "denoiser"), whole.reals
    fitted = detector.fit(discriminator, pool, reals, config=whole.config).detector
    unseen = detector.match_histograms(np.load(fakes)["images"], reals.test)
    ranked = detection_metrics.rank(fitted.raw_scores(reals.test), fitted.raw_scores(unseen))
    result.write_text(json.dumps(ranked))
    return ranked


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


def show(rows: list[dict[str, Any]]) -> None:
    """Prints means over the seeds, a line a condition."""
    generators = [name for name in rows[0]["counts"] if name != "reals"]
    print(f"{'AUROC':28}", *(f"{name[:19]:>20}" for name in generators), file=sys.stderr)
    for condition in rows[0]["detector"]:
        means = [
            np.mean([row["detector"][condition][name]["auroc"] for row in rows]) for name in generators
        ]
        print(f"{condition:28}", *(f"{value:20.4f}" for value in means), file=sys.stderr)
    for baseline in rows[0]["baselines"]:
        means = [
            np.mean([row["baselines"][baseline]["histogram-matched"][name]["auroc"] for row in rows])
            for name in generators
        ]
        print(f"{baseline[:28]:28}", *(f"{value:20.4f}" for value in means), file=sys.stderr)
    for key in ("gan_seconds", "fit_seconds", "images_per_second", "ece"):
        print(f"{key:28}", *(f"{row[key]:20.3f}" for row in rows), file=sys.stderr)


if __name__ == "__main__":
    main()
