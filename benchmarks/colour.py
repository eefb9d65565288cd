"""Fréchet distance after equal time in colour, for this project and its PyTorch peers.

    python benchmarks/colour.py run IMAGES TEST FEATURES PEER RESULTS [--minutes 2 5 10] [--seeds 0]
        [--arms rgb32 conditional dcgan] [--torch PYTHON] [--sheets DIR]
    python benchmarks/colour.py plot RESULTS PICTURE

`run` trains each arm anew for each budget of minutes and each seed, one after another, so that a slow
hour meets all of them. IMAGES and TEST are folders of images with one sub-folder a class: those that are
learned from, and those that 10,000 samples are compared with. FEATURES is what `dcgan features fit` made
of IMAGES, PEER the script `torch_colour.py`, run by the interpreter `--torch`. The clock starts with the
first training step, which includes its tracing. Learning rates follow the clock along a cosine, as those
of `dcgan train` follow the epochs.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

import environment
import keras
import matplotlib.pyplot as plt
import numpy as np

import dcgan
from dcgan import data, features, presets
from dcgan import images as pixels
from dcgan.config import TrainingConfig

SAMPLES = 10_000
PEERS = ("dcgan", "sngan")
OWN = ("rgb32", "conditional")


class Clock(keras.callbacks.Callback):
    """Lets the learning rates follow a training's schedule over a time, and ends it with the time."""

    def __init__(self, training: TrainingConfig, seconds: float) -> None:
        super().__init__()
        self.training, self.seconds, self.steps = training, seconds, 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock."""
        self._start = time.perf_counter()
        optimizers = self.model.generator_optimizer, self.model.discriminator_optimizer
        self._peaks = [(each, float(each.learning_rate.numpy())) for each in optimizers]

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the rates of the next step."""
        self.steps += 1
        done = min(1.0, (time.perf_counter() - self._start) / self.seconds)
        for optimizer, peak in self._peaks:
            optimizer.learning_rate.assign(peak * self.training.rate_share(done))
        if done == 1.0:
            self.model.stop_training = True


def train_own(arguments: argparse.Namespace) -> None:
    """Trains one of this project's arms in this process."""
    images = data.load_images(arguments.images, split="all", image_size=32, channels=3)
    conditional = arguments.arm == "conditional"
    network = {"classes": int(images.labels.max()) + 1} if conditional else {}
    config = presets.override(presets.get("rgb32"), network=network, seed=arguments.seed)
    keras.utils.set_random_seed(config.seed)
    model = dcgan.DCGAN.from_preset(config)
    labels = {"labels": images.labels} if conditional else {}
    batch = config.training.batch_size
    batches = data.batches(images.images, batch, seed=config.seed, repeat=True, **labels)
    clock = Clock(config.training, 60 * arguments.minutes)
    model.fit(batches, epochs=1, steps_per_epoch=10**9, callbacks=[clock], verbose=0)
    np.savez(arguments.samples, images=pixels.to_uint8(model.generate(SAMPLES, seed=1)))
    print(json.dumps({"reals_seen": clock.steps * batch}))


def run(arguments: argparse.Namespace) -> None:
    """Trains every arm for every budget and seed, and measures their samples."""
    extractor = features.load(arguments.features)
    train, test = (
        data.load_images(path, split="all", image_size=32, channels=3).images
        for path in (arguments.images, arguments.test)
    )
    reference = features.Reference.compute(test, extractor, floor_images=train)
    with tempfile.TemporaryDirectory() as directory:
        array = pathlib.Path(directory) / "images.npz"
        np.savez(array, images=train)
        for minutes in arguments.minutes:
            for seed in arguments.seeds:
                for arm in arguments.arms:
                    samples, seen = _train(arguments, array, arm=arm, minutes=minutes, seed=seed)
                    scores = reference.evaluate(samples)
                    row = {"arm": arm, "minutes": minutes, "seed": seed, **seen}
                    row |= {name: round(score.value, 3) for name, score in scores.items()}
                    print(json.dumps(row), flush=True)
                    floors = {name: score.floor for name, score in scores.items()}
                    _add(arguments, row, floors=floors, accuracy=extractor.accuracy)
                    if arguments.sheets:
                        sheet = pixels.grid(samples[:64], columns=8)
                        name = f"{arm}-{minutes:g}min-{seed}.png"
                        pixels.save_png(arguments.sheets / name, pixels.enlarge(sheet, 2))


def _train(
    arguments: argparse.Namespace, array: pathlib.Path, *, arm: str, minutes: float, seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Trains one arm in a process of its own; returns its samples and how many reals it saw."""
    out = array.with_name("samples.npz")
    options = ["--minutes", str(minutes), "--seed", str(seed), "--samples", str(out)]
    if arm in PEERS:
        command = [arguments.torch, str(arguments.peer), arm, str(array), *options]
    else:
        command = [sys.executable, __file__, "train", str(arguments.images), "--arm", arm, *options]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    seen = json.loads(output.splitlines()[-1])["reals_seen"]
    return np.load(out)["images"], {"reals_seen": seen}


def _add(
    arguments: argparse.Namespace, row: dict[str, Any], *, floors: dict[str, Any], accuracy: float | None
) -> None:
    """Replaces or adds a row of the results."""
    path = arguments.results
    results = json.loads(path.read_text()) if path.exists() else {"runs": []}
    key = ("arm", "minutes", "seed")
    others = [each for each in results["runs"] if any(each[name] != row[name] for name in key)]
    results["runs"] = sorted([*others, row], key=lambda each: [each[name] for name in key])
    results["floor"] = {name: round(floor, 3) for name, floor in floors.items() if floor is not None}
    results["extractor_accuracy"] = accuracy
    results["environment"] = environment.describe()
    path.write_text(json.dumps(results, indent=1) + "\n")


def plot(arguments: argparse.Namespace) -> None:
    """Draws distance against minutes, a line an arm; where there are several seeds, their median."""
    results = json.loads(arguments.results.read_text())
    figure, axes = plt.subplots(figsize=(6, 3.6))
    for arm in dict.fromkeys(row["arm"] for row in results["runs"]):
        points: dict[float, list[float]] = {}
        for row in results["runs"]:
            if row["arm"] == arm:
                points.setdefault(row["minutes"], []).append(row["frechet_distance"])
        minutes = sorted(points)
        label = f"PyTorch {arm}" if arm in PEERS else arm
        axes.plot(minutes, [np.median(points[each]) for each in minutes], marker="o", label=label)
    axes.set(xlabel="minutes of training", ylabel="Fréchet distance", yscale="log")
    axes.axhline(results["floor"]["frechet_distance"], color="grey", linestyle=":", label="real images")
    axes.legend()
    figure.savefig(arguments.picture, dpi=150, bbox_inches="tight")


def main() -> None:
    """Runs a sub-command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("run")
    for name in ("images", "test", "features", "peer", "results"):
        command.add_argument(name, type=pathlib.Path)
    command.add_argument("--minutes", type=float, nargs="+", default=[2, 5, 10])
    command.add_argument("--seeds", type=int, nargs="+", default=[0])
    command.add_argument("--arms", nargs="+", choices=(*OWN, *PEERS), default=[*OWN, "dcgan"])
    command.add_argument("--torch", default=sys.executable)
    command.add_argument("--sheets", type=pathlib.Path)
    command.set_defaults(act=run)
    command = commands.add_parser("train")
    command.add_argument("images", type=pathlib.Path)
    command.add_argument("--arm", choices=OWN, default=OWN[0])
    command.add_argument("--minutes", type=float, required=True)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--samples", type=pathlib.Path, required=True)
    command.set_defaults(act=train_own)
    command = commands.add_parser("plot")
    command.add_argument("results", type=pathlib.Path)
    command.add_argument("picture", type=pathlib.Path)
    command.set_defaults(act=plot)
    arguments = parser.parse_args()
    arguments.act(arguments)


if __name__ == "__main__":
    main()
