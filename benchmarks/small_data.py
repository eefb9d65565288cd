"""Compares no augmentation, DiffAugment and ADA on small sets of images at equal time; writes JSON.

    python benchmarks/small_data.py DATA FEATURES RESULTS [--sizes 1000 5000] [--minutes 2 5 10]
        [--seeds 0] [--preset rgb32] [--precision float32] [--slice 10] [--fakes 10000]

`DATA` is whatever `dcgan.load_images` takes, such as a folder or an `.npz` file with more images than
are trained on; `FEATURES` an extractor, such as a file that `dcgan features fit` wrote. Each size is a
random part of the data. All its arms train in turn in one process, a slice of a few seconds each, until
each has had the same training time, so that the machine's other work falls on all alike. Learning rates
follow the preset's schedule by that time. At the given minutes, the samples' distance to images that no
arm trains on is measured, off the clock. The floor is what as many other held-out images score.
"""

import argparse
import json
import pathlib
import time
from typing import Any

import environment
import keras
import numpy as np

from dcgan import data, features, presets
from dcgan.config import RunConfig
from dcgan.model import DCGAN

ARMS = {"none": "", "DiffAugment": "color,translation,cutout", "ADA": "ada"}
_HELD_OUT = 10_000
_DISTANCES = ("frechet_distance", "kid")
_WARM_UP_STEPS = 5


class Arm:
    """A training in slices, with a clock of its own."""

    def __init__(self, name: str, config: RunConfig, images: np.ndarray, *, seconds: float) -> None:
        keras.utils.set_random_seed(config.seed)
        self.name, self.images, self.seconds = name, images, seconds
        self.config = presets.override(config, training={"augmentation": ARMS[name]})
        # The rates follow the clock instead of the steps.
        self.model = DCGAN.from_preset(self.config)
        self.steps = len(images) // config.training.batch_size
        self.clock, self.epochs = 0.0, 0
        self.points: list[dict[str, float]] = []
        self._fit(_WARM_UP_STEPS)
        start = time.perf_counter()
        self._fit(_WARM_UP_STEPS)
        self._step_seconds = (time.perf_counter() - start) / _WARM_UP_STEPS

    def train(self, slice_seconds: float) -> None:
        """Trains for about so long, whole epochs at a time."""
        self._set_rates(min(1.0, self.clock / self.seconds))
        epochs = max(1, round(slice_seconds / (self._step_seconds * self.steps)))
        start = time.perf_counter()
        self._fit(epochs * self.steps)
        took = time.perf_counter() - start
        self.clock += took
        self.epochs += epochs
        self._step_seconds = took / (epochs * self.steps)

    def measure(self, reference: features.Reference) -> dict[str, float]:
        """Adds a point to the curve."""
        scores = reference.distances(self.model.generate(reference.fake_count, seed=0))
        point = {
            "minutes": round(self.clock / 60, 3),
            "epochs": self.epochs,
            "images": self.epochs * self.steps * self.config.training.batch_size,
            **{name: round(score.value, 4) for name, score in scores.items()},
        }
        if self.name == "ADA":
            point["augmentation_p"] = round(float(self.model.augmenter.probability), 4)
        self.points.append(point)
        return point

    def _fit(self, steps: int) -> None:
        batch, seed = self.config.training.batch_size, self.config.seed
        dataset = data.batches(self.images, batch, seed=seed, repeat=True, first_epoch=self.epochs)
        self.model.fit(dataset, steps_per_epoch=steps, shuffle=False, verbose=0)

    def _set_rates(self, done: float) -> None:
        training = self.config.training
        share = training.rate_share(done)
        rates = training.generator_learning_rate, training.discriminator_learning_rate
        for optimizer, rate in zip(self.model.optimizer.optimizers, rates, strict=True):
            optimizer.learning_rate = share * rate


def compare(
    images: np.ndarray, config: RunConfig, reference: features.Reference, options: argparse.Namespace
) -> list[Arm]:
    """Trains all arms in turn, until each has had its time."""
    minutes = sorted(options.minutes)
    arms = [Arm(name, config, images, seconds=60 * minutes[-1]) for name in options.arms]
    while waiting := [arm for arm in arms if len(arm.points) < len(minutes)]:
        for arm in waiting:
            due = 60 * minutes[len(arm.points)]
            # Not far beyond the point.
            arm.train(min(options.slice, max(0.1, due - arm.clock)))
            if arm.clock >= due:
                print(len(images), config.seed, arm.name, arm.measure(reference), flush=True)
    return arms


def split(
    options: argparse.Namespace, config: RunConfig, size: int, seed: int
) -> tuple[np.ndarray, features.Reference]:
    """Returns a random part of the data to train on, and a reference of other images."""
    network = config.network
    images = data.load_images(
        options.data, split="all", image_size=network.image_size, channels=network.channels
    ).images
    held_out = min(_HELD_OUT, len(images) - size - options.fakes)
    if held_out < options.fakes // 2 or held_out < 1:
        raise SystemExit(
            f"{options.data}: expected {size} images to train on and {options.fakes} or more for the "
            f"reference and for the floor each, found {len(images)}; lower --sizes or --fakes"
        )
    order = np.random.default_rng(seed).permutation(len(images))
    reference = features.Reference.compute(
        images[order[size : size + held_out]],
        features.load(options.features),
        floor_images=images[order[size + held_out :]],
        fake_count=options.fakes,
    )
    return images[order[:size]], reference


def main() -> None:
    """Reads the command line, compares size by size, and writes the results after each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("features")
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--minutes", type=float, nargs="+", default=[2.0, 5.0, 10.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=[*ARMS])
    parser.add_argument("--preset", choices=presets.PRESETS, default="rgb32")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--slice", type=float, default=10.0, help="seconds")
    parser.add_argument("--fakes", type=int, default=10_000)
    options = parser.parse_args()
    results: dict[str, Any] = {
        "preset": options.preset,
        "precision": options.precision,
        "fakes": options.fakes,
        "environment": environment.describe(),
        "runs": [],
    }
    for size in options.sizes:
        for seed in options.seeds:
            config = presets.override(
                presets.get(options.preset), precision=options.precision, seed=seed
            )
            images, reference = split(options, config, size, seed)
            floor = reference.statistics.floor or {}
            for arm in compare(images, config, reference, options):
                results["runs"].append(
                    {
                        "size": size,
                        "seed": seed,
                        "arm": arm.name,
                        "floor": {name: round(floor[name], 4) for name in _DISTANCES},
                        "points": arm.points,
                    }
                )
            options.results.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
