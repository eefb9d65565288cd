"""Makes the start of colour detectors, and measures it on generators that it was not shown.

    python benchmarks/detection_start.py draw REALS FAKES [--images 80000] [--kinds NAME ...]
    python benchmarks/detection_start.py train MODEL --others NPZ --lossless NPZ --reals DIR
        --own FAKES [--more NAME=DIR] [--without NAME ...] [--steps 8000]
    python benchmarks/detection_start.py measure RESULTS MODEL ... --others NPZ --lossless NPZ
        --reals DIR --own FAKES
    python benchmarks/detection_start.py compare RESULTS --others NPZ --lossless NPZ --reals DIR
        --own FAKES [--more NAME=DIR]
    python benchmarks/detection_start.py publish RESULTS MODEL

`draw` trains small GANs of this package's, of several kinds, on a folder of photographs with one
sub-folder a class, and keeps samples of each in FAKES. `train` trains a start on them, on samples of
other people's models (`--others`: keys `images` and `source`) and on photographs, once JPEG
(`--reals`) and never JPEG (`--lossless`); sources named by `--without` are left out, by their
beginnings. `measure` scores what each MODEL was not shown, and puts together what they tell of other
people's generators. `compare` does the same with a logistic regression on simple statistics of what
each model was trained on, and adds that to RESULTS. `publish` puts a model into the package, with a
card.
"""

import argparse
import dataclasses
import functools
import itertools
import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import environment
import keras
import numpy as np
import start_sources
import tensorflow as tf
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from start_sources import OWN, Source, Sources

import dcgan
from dcgan import data, presets, sampling
from dcgan import images as pixels
from dcgan.detector import start
from dcgan.detector.delivery import deliveries
from dcgan.detector.delivery.named_deliveries import NAMED
from dcgan.detector.evaluation import simple_statistics
from dcgan.detector.fitting import classifier_training
from dcgan.detector.start import start_files

SAMPLES = 3_000
# Fakes of each generator to measure by, at most.
_FAKES = 400
# What is different from the preset rgb32; one kind each of loss, up-sampling, depth and width.
KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "preset": {},
    "relativistic": {"training": {"loss": "relativistic", "r2_gamma": 1.0}},
    "hinge-nearest": {
        "network": {"upsampling": "nearest", "smoothing": False, "kernel_size": 3},
        "training": {"loss": "hinge"},
    },
    "squares-bilinear": {
        "network": {"upsampling": "bilinear", "smoothing": False, "kernel_size": 3},
        "training": {"loss": "least_squares"},
    },
    "grid": {"network": {"smoothing": False, "kernel_size": 5, "generator_blocks": 0}},
    "conditional": {"network": {"classes": 10}},
    "deep": {"network": {"generator_blocks": 3, "generator_width": 24}},
}
_DELIVERED = ("as they are", "jpeg 75", "crop 90", "3/4 bicubic", "jpeg-3/4-jpeg")
# Without any history of the file: what counts.
DELIVERIES: dict[str, deliveries.Delivery] = {
    "jpeg 90": deliveries.chain(lambda image, rng: deliveries.jpeg(image, rng, quality=90)),
    **{name: NAMED[name] for name in _DELIVERED},
}


def draw(arguments: argparse.Namespace) -> None:
    """Trains a GAN of each kind that there are no samples of yet."""
    reals = data.load_images(arguments.reals, split="all", image_size=32, channels=3)
    for index, kind in enumerate(KINDS):
        path = arguments.fakes / f"{kind}.npz"
        if kind in arguments.kinds and not path.is_file():
            images = _draw_kind(kind, reals, arguments, seed=index)
            np.savez_compressed(path, images=images)
            pixels.save_png(path.with_suffix(".png"), pixels.grid(images[:64], columns=8))
            print(json.dumps({"kind": kind, "fakes": len(images)}), flush=True)


def _draw_kind(
    kind: str, reals: data.ImageSet, arguments: argparse.Namespace, *, seed: int
) -> np.ndarray:
    config = presets.override(
        presets.get("rgb32"), seed=seed, precision=arguments.precision, **KINDS[kind]
    )
    labels = {"labels": reals.labels} if config.network.classes else {}
    keras.utils.set_random_seed(seed)
    steps = arguments.images // config.training.batch_size
    model = dcgan.DCGAN.from_preset(config, total_steps=steps)
    batches = data.batches(reals.images, config.training.batch_size, seed=seed, repeat=True, **labels)
    model.fit(batches, steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False)
    return sampling.draw(model, SAMPLES, seed=1)


def train(arguments: argparse.Namespace) -> None:
    """Trains a start and writes its weights, with what it was not shown beside them."""
    keras.utils.set_random_seed(arguments.seed)
    sources = _load(arguments).without(arguments.without).parts()[0]
    precision = classifier_training.fastest_precision()
    network = start.build_start_network((32, 32, 3), precision=precision, seed=arguments.seed)
    network.compile(
        classifier_training.optimizer(arguments.learning_rate, arguments.steps),
        keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)],
    )
    labels = np.repeat([np.float32(0), np.float32(1)], arguments.half)

    def batches() -> Any:
        for images in start_sources.batches(sources, half=arguments.half, seed=arguments.seed):
            yield pixels.to_float(images), labels

    signature = (
        tf.TensorSpec((2 * arguments.half, 32, 32, 3), tf.float32),
        tf.TensorSpec((2 * arguments.half,), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(4)
    lines = 20
    network.fit(
        dataset, epochs=lines, steps_per_epoch=arguments.steps // lines, verbose=2, shuffle=False
    )
    start.save_start(network, arguments.model)
    described = {"without": arguments.without, "more": arguments.more, "steps": arguments.steps}
    arguments.model.with_suffix(".json").write_text(json.dumps(described) + "\n")


def measure(arguments: argparse.Namespace) -> None:
    """Measures each model on the generators that it was not shown."""
    sources = _load(arguments)
    last = sources.parts()[1]
    results: dict[str, Any] = {"environment": environment.describe(), "models": {}}
    for path in arguments.models:
        model = start.load_start((32, 32, 3), path=path)
        score = functools.partial(_score, model)
        described = json.loads(path.with_suffix(".json").read_text())
        hidden = [source for source in last.fakes if not _was_shown(source, described)]
        rows = {name: _measure(score, last, hidden, deliver) for name, deliver in DELIVERIES.items()}
        results["models"][path.stem] = {**described, "deliveries": rows}
    results["left_out"] = _summarise(results["models"], sources.fakes)
    results["generators"] = [
        {"name": each.name, **each.origin, "images": len(each.images)} for each in sources.fakes
    ]
    photographs = {"JPEG": sources.compressed, "never JPEG": sources.lossless}
    results["reals"] = [{"name": name, "images": len(each)} for name, each in photographs.items()]
    arguments.results.write_text(json.dumps(results, indent=1) + "\n")


def _score(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return model.predict(pixels.to_float(images), batch_size=256, verbose=0)[:, 0]


def compare(arguments: argparse.Namespace) -> None:
    """Measures simple statistics on what each model of the results was not shown."""
    sources = _load(arguments)
    first, last = sources.parts()
    results = json.loads(arguments.results.read_text())
    measured: dict[str, Any] = {}
    for name, described in results["models"].items():
        shown = tuple(source for source in first.fakes if _was_shown(source, described))
        score = _fit_statistics(dataclasses.replace(first, fakes=shown), arguments)
        hidden = [source for source in last.fakes if not _was_shown(source, described)]
        rows = {each: _measure(score, last, hidden, deliver) for each, deliver in DELIVERIES.items()}
        measured[name] = {"deliveries": rows}
    results["statistics"] = {
        "models": measured,
        "own": sorted(each.name for each in sources.fakes if each.origin["author"] == OWN),
        "left_out": _summarise(measured, sources.fakes),
    }
    arguments.results.write_text(json.dumps(results, indent=1) + "\n")


def _fit_statistics(
    sources: Sources, arguments: argparse.Namespace
) -> Callable[[np.ndarray], np.ndarray]:
    """Fits a logistic regression to spectrum, gradients and grey levels of batches for a start."""
    batches = start_sources.batches(sources, half=arguments.half, seed=arguments.seed)
    drawn = np.concatenate(list(itertools.islice(batches, arguments.batches)))
    labels = np.tile(np.repeat([0, 1], arguments.half), arguments.batches)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2_000))
    model.fit(simple_statistics.compute(drawn), labels)
    return lambda images: model.decision_function(simple_statistics.compute(images))


def _load(arguments: argparse.Namespace) -> Sources:
    more = dict(each.partition("=")[::2] for each in arguments.more)
    return Sources.load(
        others=arguments.others,
        lossless=arguments.lossless,
        reals=arguments.reals,
        own=arguments.own,
        more=more,
    )


def _was_shown(source: Source, described: dict[str, Any]) -> bool:
    if source.compressed:
        return source.name in [each.partition("=")[0] for each in described["more"]]
    return not any(map(source.name.startswith, described["without"]))


def _measure(
    score: Callable[[np.ndarray], np.ndarray],
    photographs: Sources,
    hidden: list[Source],
    deliver: deliveries.Delivery,
) -> dict[str, Any]:
    """Ranks each hidden generator's fakes against photographs with the same history."""

    def rank(images: np.ndarray) -> np.ndarray:
        return score(deliver(images.clip(1, 254), 0))

    lossless, compressed = rank(photographs.lossless), rank(photographs.compressed)
    threshold = np.quantile(np.concatenate([lossless, compressed]), 0.99)
    generators = {}
    for source in hidden:
        reals, fakes = compressed if source.compressed else lossless, rank(source.images[-_FAKES:])
        labels = np.repeat([0, 1], [len(reals), len(fakes)])
        auroc = float(metrics.roc_auc_score(labels, np.concatenate([reals, fakes])))
        found = float((fakes > threshold).mean())
        generators[source.name] = {"auroc": round(auroc, 3), "found": round(found, 3)}
    return {
        "lossless_called_fake": round(float((lossless > threshold).mean()), 3),
        "compressed_called_fake": round(float((compressed > threshold).mean()), 3),
        "generators": generators,
    }


def _summarise(models: dict[str, Any], sources: tuple[Source, ...]) -> dict[str, Any]:
    """Puts together what the models tell of other people's generators that they were not shown."""
    families = {each.name: each.origin["family"] for each in sources if each.origin["author"] != OWN}
    return {
        delivery: _describe(
            {
                name: row["auroc"]
                for model in models.values()
                for name, row in model["deliveries"][delivery]["generators"].items()
                if name in families
            },
            families,
        )
        for delivery in DELIVERIES
    }


def _describe(aurocs: dict[str, float], families: dict[str, str]) -> dict[str, Any]:
    by_family: dict[str, list[float]] = {}
    for name, auroc in aurocs.items():
        by_family.setdefault(families[name], []).append(auroc)
    worst = min(aurocs, key=aurocs.__getitem__)
    return {
        "mean_auroc": round(float(np.mean(list(aurocs.values()))), 3),
        "worst_auroc": aurocs[worst],
        "worst": worst,
        "families": {family: round(float(np.mean(each)), 3) for family, each in by_family.items()},
    }


def publish(arguments: argparse.Namespace) -> None:
    """Puts a model's weights and a card into the package."""
    results = json.loads(arguments.results.read_text())
    shutil.copyfile(arguments.model, start_files.WEIGHTS)
    card = {name: results[name] for name in ("generators", "reals")}
    card["left_out"] = {"author": results["left_out"]}
    start_files.CARD.write_text(json.dumps(card, indent=1) + "\n")


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    drawing, training, measuring, comparing, publishing = (
        _command(commands, function) for function in (draw, train, measure, compare, publish)
    )
    drawing.add_argument("reals", type=pathlib.Path)
    drawing.add_argument("fakes", type=pathlib.Path)
    drawing.add_argument("--images", type=int, default=80_000)
    drawing.add_argument("--precision", default="float32")
    drawing.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    training.add_argument("model", type=pathlib.Path)
    training.add_argument("--without", nargs="+", default=[])
    training.add_argument("--steps", type=int, default=8_000)
    training.add_argument("--half", type=int, default=64)
    training.add_argument("--learning-rate", type=float, default=0.012)
    training.add_argument("--seed", type=int, default=0)
    measuring.add_argument("results", type=pathlib.Path)
    measuring.add_argument("models", nargs="+", type=pathlib.Path)
    comparing.add_argument("results", type=pathlib.Path)
    comparing.add_argument("--batches", type=int, default=160, help="Of 128 images, to fit on.")
    comparing.add_argument("--half", type=int, default=64)
    comparing.add_argument("--seed", type=int, default=0)
    publishing.add_argument("results", type=pathlib.Path)
    publishing.add_argument("model", type=pathlib.Path)
    for command in (training, measuring, comparing):
        for name in ("others", "lossless", "reals", "own"):
            command.add_argument(f"--{name}", type=pathlib.Path, required=True)
        command.add_argument("--more", nargs="+", default=[])
    return parser.parse_args()


def _command(commands: Any, function: Callable[[argparse.Namespace], None]) -> Any:
    parser = commands.add_parser(function.__name__)
    parser.set_defaults(function=function)
    return parser


if __name__ == "__main__":
    options = parse()
    options.function(options)
