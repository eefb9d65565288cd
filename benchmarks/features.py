"""Measures how well feature extractors rank sets of images as a person would; prints JSON.

    python benchmarks/features.py DATA [--samples NAME=PATH=DISTANCE ...] [--judge FILE] [--count 2000]

The script learns features from the labels of DATA's training images. In them and in random ones it
measures Frechet distances from the test images to sets that it spoils in known ways: compressed, noisy,
blurred, warped, under a grid, cut into tiles, reduced to principal components, short of classes, or a
hundred images again and again. Each set has a tier, from 0 (as good as new) to 5 (nothing to recognise);
`order` is the share of pairs of two tiers whose distances are in the tiers' order.

`--samples` adds files of samples (key `images`) of trained generators, with their distances in the
features of an independent classifier; `correlation` is Spearman's between those and an extractor's
distances. `--judge` measures one extractor more, such as that classifier's ".keras" file.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import environment
import numpy as np
import scipy.stats
import sklearn.decomposition
from PIL import Image
from scipy import ndimage

from dcgan import data, features
from dcgan.features import learned
from dcgan.metrics import Moments, frechet_distance

_REFERENCE = 6_000
Spoil = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Prints a row an extractor."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--samples", nargs="*", default=[], metavar="NAME=PATH=DISTANCE")
    parser.add_argument("--judge", help="one extractor more, by name or file")
    parser.add_argument("--count", type=int, default=2_000, help="images of each set")
    arguments = parser.parse_args()
    train = data.load_images(arguments.data, split="train")
    test = data.load_images(arguments.data, split="test").images
    sets = spoil_all(train, count=arguments.count)
    samples = read_samples(arguments.samples, count=arguments.count)
    rows = {}
    for name, make in candidates(train, arguments.judge).items():
        start = time.process_time()
        extractor = make()
        learning = time.process_time() - start
        rows[name] = measure(extractor, test, sets, samples) | {"learning_cpu_s": round(learning, 1)}
        found = {key: rows[name][key] for key in ("order", "correlation", "learning_cpu_s")}
        print(f"{name:12} {found}", file=sys.stderr)
    print(
        json.dumps(
            {
                "environment": environment.describe(),
                "data": train.name,
                "count": arguments.count,
                "tiers": {name: tier for name, (tier, _) in sets.items()},
                "judged": {name: distance for name, (distance, _) in samples.items()},
                "extractors": rows,
            },
            indent=1,
        )
    )


def candidates(
    train: data.ImageSet, judge: str | None
) -> dict[str, Callable[[], features.FeatureExtractor]]:
    """Returns what makes each extractor, by name."""
    made: dict[str, Callable[[], features.FeatureExtractor]] = {
        "random": lambda: features.load("random"),
    }
    if train.labels is not None:
        made["learned"] = lambda: learned.load_learned(train)
    if judge:
        made["judge"] = lambda: features.load(judge)
    return made


def spoil_all(train: data.ImageSet, *, count: int) -> dict[str, tuple[int, np.ndarray]]:
    """Returns sets of images with their tiers, by name."""
    rng = np.random.default_rng(0)
    images = train.images[rng.permutation(len(train.images))[:count]]
    spoils: dict[str, tuple[int, Spoil]] = {
        "reals": (0, lambda x: x),
        "JPEG 90": (1, jpeg),
        "noise 2": (1, lambda x: noise(x, 2, rng)),
        "blur 0.5": (2, lambda x: blur(x, 0.5)),
        "warp 0.7": (2, lambda x: warp(x, 0.7, rng)),
        "grid 6": (2, lambda x: grid(x, 6, period=2)),
        "noise 10": (2, lambda x: noise(x, 10, rng)),
        "blur 1": (3, lambda x: blur(x, 1)),
        "warp 1.5": (3, lambda x: warp(x, 1.5, rng)),
        "grid 20": (3, lambda x: grid(x, 20, period=2)),
        "grid of 4, 20": (3, lambda x: grid(x, 20, period=4)),
        "2 x 2 tiles": (3, lambda x: shuffle(x, 2, rng)),
        "noise 25": (3, lambda x: noise(x, 25, rng)),
        "blur 2": (4, lambda x: blur(x, 2)),
        "warp 3": (4, lambda x: warp(x, 3, rng)),
        "4 x 4 tiles": (4, lambda x: shuffle(x, 4, rng)),
        "20 components": (4, lambda x: components(x, 20)),
        "noise 60": (4, lambda x: noise(x, 60, rng)),
        "30 components drawn": (5, lambda x: components(x, 30, rng)),
        "500 components drawn": (5, lambda x: components(x, 500, rng)),
        "8 x 8 tiles": (5, lambda x: shuffle(x, 8, rng)),
        "blur 4": (5, lambda x: blur(x, 4)),
        "100 memorised": (3, lambda x: x[rng.integers(0, 100, len(x))]),
    }
    sets = {name: (tier, spoil(images)) for name, (tier, spoil) in spoils.items()}
    if train.labels is not None:
        middle = (train.labels.max() + 1) // 2
        for name, tier, rows in (
            ("half of the classes", 2, train.labels < middle),
            ("one class", 3, train.labels == train.labels.max()),
        ):
            chosen = rng.permutation(np.flatnonzero(rows))[:count]
            sets[name] = (tier, train.images[chosen])
    return sets


def read_samples(values: list[str], *, count: int) -> dict[str, tuple[float, np.ndarray]]:
    """Reads samples and their distances in independent features."""
    parts = [value.rsplit("=", 2) for value in values]
    return {name: (float(fd), np.load(path)["images"][:count]) for name, path, fd in parts}


def measure(
    extractor: features.FeatureExtractor,
    test: np.ndarray,
    sets: dict[str, tuple[int, np.ndarray]],
    samples: dict[str, tuple[float, np.ndarray]],
) -> dict[str, Any]:
    """Returns all distances of an extractor, their order and their correlation."""
    rows = np.random.default_rng(1).permutation(len(test))[:_REFERENCE]
    real = Moments.of(extractor.embed(test[rows]).features)

    def distance(images: np.ndarray) -> float:
        return float(frechet_distance(real, Moments.of(extractor.embed(images).features)))

    of_sets = {name: distance(images) for name, (_, images) in sets.items()}
    of_samples = {name: distance(images) for name, (_, images) in samples.items()}
    pairs = [(a, b) for a in sets for b in sets if sets[a][0] < sets[b][0]]
    judged = [judged for judged, _ in samples.values()]
    correlation = scipy.stats.spearmanr(judged, list(of_samples.values())) if samples else None
    return {
        "order": round(float(np.mean([of_sets[a] < of_sets[b] for a, b in pairs])), 3),
        "correlation": None if correlation is None else round(float(correlation.statistic), 3),
        "distances": {name: round(value, 4) for name, value in of_sets.items()},
        "distances_of_samples": {name: round(value, 4) for name, value in of_samples.items()},
        "digest": extractor.digest,
    }


def levels(values: np.ndarray) -> np.ndarray:
    """Rounds to uint8."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def noise(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Adds normal noise."""
    return levels(images + rng.normal(0, level, images.shape))


def blur(images: np.ndarray, sigma: float) -> np.ndarray:
    """Smears."""
    return levels(ndimage.gaussian_filter(images.astype(float), (0, sigma, sigma, 0)))


def jpeg(images: np.ndarray) -> np.ndarray:
    """Compresses with quality 90."""
    made = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image.squeeze()).save(file, "JPEG", quality=90)
        made.append(np.asarray(Image.open(file)).reshape(image.shape))
    return np.stack(made)


def grid(images: np.ndarray, level: float, *, period: int) -> np.ndarray:
    """Lays a regular grid over images, as transposed convolutions leave it."""
    y, x = np.indices(images.shape[1:3])
    marks = (y + x) % 2 if period == 2 else (y % period == 0) | (x % period == 0)
    return levels(images + level * (2.0 * marks - 1)[..., None])


def warp(images: np.ndarray, pixels: float, rng: np.random.Generator) -> np.ndarray:
    """Moves every pixel by a smooth field with a standard deviation of so many pixels."""
    size = images.shape[1]
    places, made = np.indices((size, size)), np.empty_like(images)
    for image, out in zip(images, made, strict=True):
        field = ndimage.gaussian_filter(rng.normal(size=(2, size, size)), (0, 3, 3))
        moved = places + field * (pixels / field.std())
        for channel in range(image.shape[-1]):
            values = image[..., channel].astype(float)
            out[..., channel] = ndimage.map_coordinates(values, moved, order=1, mode="nearest")
    return made


def shuffle(images: np.ndarray, tiles: int, rng: np.random.Generator) -> np.ndarray:
    """Cuts images into tiles and lays these anew."""
    count, side = len(images), images.shape[1] // tiles
    cut = images[:, : side * tiles, : side * tiles].reshape(count, tiles, side, tiles, side, -1)
    cut = cut.transpose(0, 1, 3, 2, 4, 5).reshape(count, tiles * tiles, side, side, -1)
    laid = np.stack([image[rng.permutation(tiles * tiles)] for image in cut])
    laid = laid.reshape(count, tiles, tiles, side, side, -1).transpose(0, 1, 3, 2, 4, 5)
    made = images.copy()
    made[:, : side * tiles, : side * tiles] = laid.reshape(count, side * tiles, side * tiles, -1)
    return made


def components(images: np.ndarray, kept: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """Keeps some principal components of each image, or draws their values anew."""
    flat = images.reshape(len(images), -1).astype(float)
    found = sklearn.decomposition.PCA(kept, random_state=0).fit(flat)
    values = found.transform(flat)
    if rng is not None:
        values = rng.normal(size=values.shape) * np.sqrt(found.explained_variance_)
    return levels(found.inverse_transform(values)).reshape(images.shape)


if __name__ == "__main__":
    main()
