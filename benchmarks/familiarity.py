"""Measures which images a detector calls unfamiliar; prints JSON, and lines to standard error.

    python benchmarks/familiarity.py RUN [--pool POOL] [--fakes NAME=PATH ...] [--others NAME=PATH ...]

RUN is a run whose pool of fakes `dcgan detect` has collected. As `dcgan detect` does, the script trains
a familiarity network on the pool and on the run's reals, and calibrates it. Then it measures the share
of images that are unfamiliar, first among unseen reals and the fakes of unseen generators (`--fakes`)
under each delivery, then among images of other kinds: inverted, letterboxed and reframed reals, noise,
constants, and whatever `--others` names, such as a folder of photographs or another data set.
"""

import argparse
import json
import pathlib
import sys
import time
from typing import Any

import environment
import keras
import numpy as np
from PIL import Image

from dcgan import data
from dcgan.detector import detector_config
from dcgan.detector.delivery import deliveries
from dcgan.detector.delivery.named_deliveries import NAMED
from dcgan.detector.detector_files import DetectorFiles
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.familiarity import familiarity_training
from dcgan.detector.inputs import reals
from dcgan.images import to_float
from dcgan.runs.run_directory import RunDirectory
from dcgan.scoring import UNFAMILIAR

_COUNT = 400
# Sides of a sheet with the image in its middle, in parts of the image's.
_SHEETS = {
    "letterboxed to 12/7": (12 / 7, 1),
    "letterboxed to 10/7": (10 / 7, 1),
    "pillarboxed to 12/7": (1, 12 / 7),
    "on a sheet of 12/7": (12 / 7, 12 / 7),
    "on a sheet of 10/7": (10 / 7, 10 / 7),
    "on a sheet of 9/7": (9 / 7, 9 / 7),
}


def main() -> None:
    """Prints the shares and the time it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--pool", type=pathlib.Path)
    parser.add_argument("--fakes", nargs="*", default=[], metavar="NAME=PATH")
    parser.add_argument("--others", nargs="*", default=[], metavar="NAME=PATH")
    parser.add_argument("--steps", type=int, default=detector_config.DetectorConfig.familiarity_steps)
    parser.add_argument("--count", type=int, default=_COUNT, help="images of each kind and delivery")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    run = RunDirectory.open(arguments.run)
    pool = FakePool.load(arguments.pool or DetectorFiles(run).pool)
    parts = reals.Reals.load(run.load_config())
    model, cost = fit(parts, pool, steps=arguments.steps, seed=arguments.seed)
    shape = parts.test.shape[1:]
    own = {"reals": parts.test, **load(arguments.fakes, shape)}
    others = {**other_kinds(parts.test[: arguments.count]), **load(arguments.others, shape)}
    found = {
        "environment": environment.describe(),
        "data": run.load_config().data,
        **cost,
        "own_kind": {
            name: under_deliveries(model, images[: arguments.count]) for name, images in own.items()
        },
        "other_kinds": {name: unfamiliar(model, images) for name, images in others.items()},
    }
    print(json.dumps(found, indent=1))
    show(found)


def fit(
    parts: reals.Reals, pool: FakePool, *, steps: int, seed: int
) -> tuple[keras.Model, dict[str, Any]]:
    """Returns the calibrated network and what it cost."""
    started, cpu_started = time.monotonic(), time.process_time()
    held_back = np.arange(len(pool.images)) % 10 == 0
    model = familiarity_training.train(parts.train, pool.where(~held_back), steps=steps, seed=seed)
    trained = time.monotonic()
    familiarity_training.calibrate(model, parts.calibration, pool.images[held_back], seed=seed)
    return model, {
        "steps": steps,
        "weights": model.count_params(),
        "training_seconds": round(trained - started, 1),
        "calibration_seconds": round(time.monotonic() - trained, 1),
        "cpu_seconds": round(time.process_time() - cpu_started, 1),
    }


def load(values: list[str], shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Reads NAME=PATH arguments, each anything that `dcgan.load_images` reads."""
    pairs = (value.split("=", 1) for value in values)
    return {
        name: data.load_images(path, split="all", image_size=shape[0], channels=shape[-1]).images
        for name, path in pairs
    }


def other_kinds(images: np.ndarray) -> dict[str, np.ndarray]:
    """Makes images of other kinds, uint8, by name."""
    rng = np.random.default_rng(0)
    levels = np.linspace(0, 255, len(images)).round().astype(np.uint8)
    mixed = [rng.permutation(image.reshape(-1, image.shape[-1])) for image in images]
    return {
        "inverted": 255 - images,
        "shuffled pixels": np.stack(mixed).reshape(images.shape),
        "noise": rng.integers(0, 256, images.shape, np.uint8),
        "faint noise": rng.normal(0, 10, images.shape).clip(0, 255).round().astype(np.uint8),
        "constant": np.broadcast_to(levels[:, None, None, None], images.shape).copy(),
        **{name: on_sheets(images, sides) for name, sides in _SHEETS.items()},
    }


def on_sheets(images: np.ndarray, sides: tuple[float, float]) -> np.ndarray:
    """Puts each image in the middle of a sheet of its background's colour, scaled back to its size."""
    placed = []
    for pixels in images:
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        size = (round(image.width * sides[1]), round(image.height * sides[0]))
        sheet = Image.new(image.mode, size, deliveries.background(image))
        sheet.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
        scaled = sheet.resize(image.size, Image.Resampling.BICUBIC)
        placed.append(np.asarray(scaled).reshape(pixels.shape))
    return np.stack(placed)


def unfamiliar(model: keras.Model, images: np.ndarray) -> float:
    """Returns the share of images that are unfamiliar."""
    values = model.predict(to_float(images), batch_size=256, verbose=0)
    return round(float(np.mean(values < UNFAMILIAR)), 4)


def under_deliveries(model: keras.Model, images: np.ndarray) -> dict[str, Any]:
    """Returns the share by delivery, with mean and worst."""
    shares = {name: unfamiliar(model, deliver(images, 7)) for name, deliver in NAMED.items()}
    worst = max(shares, key=shares.__getitem__)
    mean = round(float(np.mean(list(shares.values()))), 4)
    return {"mean": mean, "worst": {worst: shares[worst]}, "deliveries": shares}


def show(found: dict[str, Any]) -> None:
    """Writes the shares to standard error."""
    for name, row in found["own_kind"].items():
        (worst, share), *_ = row["worst"].items()
        line = f"{name:24} {row['mean']:7.2%}, worst {share:.2%} ({worst})"
        print(f"{line}, as they are {row['deliveries']['as they are']:.2%}", file=sys.stderr)
    for name, share in found["other_kinds"].items():
        print(f"{name:24} {share:7.2%}", file=sys.stderr)


if __name__ == "__main__":
    main()
