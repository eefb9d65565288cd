"""What a search finds in a poor space, and what it costs beyond training.

`found` adds missing runs to a file of results; `table` prints it as Markdown.
"""

import argparse
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

import environment
import keras
import numpy as np

from dcgan import config as configs
from dcgan import data, features, presets
from dcgan.model import DCGAN

# Wide and poor: it contains the article's configuration, and many points that never learn.
SPACE: dict[str, Any] = {
    "latent_dim": [16, 32, 64, 100, 256],
    "generator_width": [16, 32, 64],
    "discriminator_width": [16, 32, 64],
    "kernel_size": [3, 4, 5],
    "generator_norm": ["batch", "none"],
    "discriminator_norm": ["none", "batch"],
    "generator_learning_rate": {"low": 1e-5, "high": 1e-1, "log": True},
    "discriminator_learning_rate": {"low": 1e-5, "high": 1e-1, "log": True},
    "beta_1": {"low": 0.0, "high": 0.95},
    "batch_size": [32, 64, 128, 256],
    "loss": ["non_saturating", "least_squares", "hinge", "wasserstein"],
    "r1_gamma": [0.0, 0.1, 1.0, 10.0],
    "ema_decay": [0.0, 0.99, 0.999],
    "label_smoothing": [0.0, 0.1, 0.3],
    "augmentation": ["", "translation", "color,translation,cutout"],
}
ALGORITHMS = ("hyperband", "random")
_TRAINING = ("build", "first_step", "train")


def search(out: pathlib.Path, space: pathlib.Path, *options: str) -> dict[str, Any]:
    """Runs one search by the command line; returns what it found and what it spent its time on."""
    command = [sys.executable, "-m", "dcgan", "tune", "--preset", "article", "--space", str(space)]
    start = time.perf_counter()
    subprocess.run([*command, "--out", str(out), *options], check=True)
    wall = time.perf_counter() - start
    trials = json.loads((out / "trials.json").read_text())
    spent = {name: sum(trial["seconds"].get(name, 0.0) for trial in trials) for name in _TRAINING}
    training = sum(spent.values())
    inside = max(trial["elapsed"] for trial in trials)
    return {
        "wall_seconds": round(wall, 1),
        "trials": len(trials),
        "failed": sum(trial["score"] is None for trial in trials),
        "trials_per_hour": round(3600 * len(trials) / inside, 1),
        "training_seconds": {name: round(value, 1) for name, value in spent.items()},
        "overhead_of_search": round(inside / training - 1, 4),
        "overhead_with_start": round(wall / training - 1, 4),
        "best": json.loads((out / "best.json").read_text()),
    }


class Until(keras.callbacks.Callback):
    """Stops a training after some minutes."""

    def __init__(self, minutes: float) -> None:
        super().__init__()
        self.deadline = time.perf_counter() + 60 * minutes
        self.steps = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Checks the time."""
        self.steps += 1
        self.model.stop_training = time.perf_counter() > self.deadline


def train_for(config: configs.RunConfig, minutes: float) -> dict[str, Any]:
    """Trains a configuration for some minutes; returns the Fréchet distance of 10,000 samples."""
    images = data.load_split(config, "train").images
    reals = data.load_split(config, "test").images
    model = DCGAN.from_preset(config)
    batches = data.batches(images, config.training.batch_size, seed=config.seed, repeat=True)
    until = Until(minutes)
    model.fit(batches, steps_per_epoch=10**9, callbacks=[until], verbose=0)
    samples = model.generate(len(reals), seed=1)
    result = {"frechet_distance": None, "images": until.steps * config.training.batch_size}
    if np.isfinite(samples).all():
        reference = features.Reference.compute(reals, features.load("mnist"), fake_count=len(reals))
        result["frechet_distance"] = reference.distances(samples)["frechet_distance"].value
    return result


def found(arguments: argparse.Namespace) -> None:
    """Searches by Hyperband and at random; trains the best of each and the article's config."""
    settings = {"minutes": arguments.minutes, "train_minutes": arguments.train_minutes}
    results, runs = _part(arguments.results, "found", settings)
    for seed in range(arguments.seeds):
        missing = [name for name in ("article", *ALGORITHMS) if not _holds(runs, seed=seed, name=name)]
        if "article" in missing:
            article = presets.override(presets.get("article"), seed=seed + 100)
            runs.append(
                {"seed": seed, "name": "article"} | _train_apart(article, arguments.train_minutes)
            )
            missing.remove("article")
        for algorithm in missing:
            with tempfile.TemporaryDirectory() as folder:
                out, space = pathlib.Path(folder) / "search", pathlib.Path(folder) / "space.json"
                space.write_text(json.dumps(SPACE))
                options = ["--algorithm", algorithm, "--seed", str(seed)]
                run = search(out, space, "--max-minutes", str(arguments.minutes), *options)
            best = configs.RunConfig.from_dict(run["best"])
            trained = _train_apart(dataclasses.replace(best, seed=seed + 100), arguments.train_minutes)
            runs.append({"seed": seed, "name": algorithm} | trained | run)
            _write(arguments.results, results)


def train(arguments: argparse.Namespace) -> None:
    """Trains one configuration in this process, for `found`."""
    config = configs.RunConfig.load(arguments.config)
    print(json.dumps(train_for(config, arguments.train_minutes)))


def _train_apart(config: configs.RunConfig, minutes: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "config.json"
        config.save(path)
        command = [sys.executable, __file__, "train", str(path), "--train-minutes", str(minutes)]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


def table(arguments: argparse.Namespace) -> None:
    """Prints Markdown."""
    results = _read(arguments.results)
    if part := results.get("found"):
        minutes = part["settings"]["train_minutes"]
        print(f"| settings | distance after {minutes:g} min | trials | failed | overhead |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for name in ("article", *ALGORITHMS):
            runs = [run for run in part["runs"] if run["name"] == name]
            reached = [run["frechet_distance"] for run in runs]
            distances = ", ".join("failed" if r is None else f"{r:.3g}" for r in reached)
            print(f"| {name} | {distances} | {_joined(runs, 'trials')} | {_joined(runs, 'failed')} | "
                  f"{_joined(runs, 'overhead_of_search', '.1%')} |")  # fmt: skip


def _joined(runs: list[dict[str, Any]], name: str, form: str = "") -> str:
    return ", ".join(format(run[name], form) for run in runs if name in run) or "-"


def _part(
    path: pathlib.Path, name: str, settings: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The results, and the runs of one part, which begins anew if it was made with other settings."""
    results = _read(path)
    part = results.get(name, {})
    if part.get("settings") != settings:
        part = results[name] = {"settings": settings, "runs": []}
    return results, part["runs"]


def _holds(runs: list[dict[str, Any]], **what: Any) -> bool:
    return any(what.items() <= run.items() for run in runs)


def _read(path: pathlib.Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def _write(path: pathlib.Path, results: dict[str, Any]) -> None:
    results["environment"] = environment.describe("keras-tuner")
    path.write_text(json.dumps(results, indent=1) + "\n")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for function in (found, table):
        one = commands.add_parser(function.__name__)
        one.add_argument("results", type=pathlib.Path)
        one.set_defaults(function=function)
        one.add_argument("--minutes", type=float, default=20.0)
        one.add_argument("--seeds", type=int, default=2)
    commands.choices["found"].add_argument("--train-minutes", type=float, default=5.0)
    alone = commands.add_parser("train")
    alone.add_argument("config", type=pathlib.Path)
    alone.add_argument("--train-minutes", type=float, required=True)
    alone.set_defaults(function=train)
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
