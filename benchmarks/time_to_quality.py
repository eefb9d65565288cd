"""Frechet distance against training time, for the article's program, its peers and this project.

    python benchmarks/time_to_quality.py run PEERS RESULTS --contender mnist-float32 --seed 0
    python benchmarks/time_to_quality.py add RUN RESULTS
    python benchmarks/time_to_quality.py speed PEERS RESULTS [--steps 20] [--rounds 5]
    python benchmarks/time_to_quality.py table RESULTS ARTICLE
    python benchmarks/time_to_quality.py plot RESULTS ARTICLE PICTURE

`run` trains one contender, measures 10,000 samples after each epoch and adds that to `RESULTS`, a JSON
file; `add` takes what a finished run of `dcgan train` with preset mnist logged. `speed` measures what an
epoch of each costs in epochs of the article's program: all of them take a few steps, in processes of
their own, one after another, round by round, and the medians of the ratios within a round count. Time is
the product of both, so that a machine's other work during the long runs does not matter. `ARTICLE` is
what `measure_samples.py` made of the article's own fifty epochs.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import environment
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import dcgan
from dcgan import data, features, metrics, presets, sampling
from dcgan.config import RunConfig
from dcgan.runs.run_directory import RunDirectory

STEPS_PER_ARTICLE_EPOCH = 234
CONTENDERS = {
    "alternating": "Keras-style alternating steps, the article's networks",
    "torch": "PyTorch twin of the article's program",
    "article-preset": "this project, preset article",
    "mnist-float32": "this project, preset mnist, float32",
    "mnist-bfloat16": "this project, preset mnist, mixed_bfloat16",
}
PEERS = {"article": "seed_dcgan.py", "torch": "torch_dcgan.py"}
Point = tuple[int, np.ndarray]


class Alternating(keras.Model):
    """A GAN as the Keras examples write it: a step of one network, then a step of the other."""

    def __init__(self, generator: keras.Model, discriminator: keras.Model, *, latent_dim: int) -> None:
        super().__init__()
        self.generator, self.discriminator, self.latent_dim = generator, discriminator, latent_dim
        self.generator_optimizer = keras.optimizers.Adam(1e-4)
        self.discriminator_optimizer = keras.optimizers.Adam(1e-4)
        self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Trains the discriminator on reals and fakes together, then the generator on new fakes."""
        count = tf.shape(images)[0]
        fakes = self.generator(tf.random.normal((count, self.latent_dim)), training=True)
        both = tf.concat([images, fakes], axis=0)
        targets = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
        with tf.GradientTape() as tape:
            d_loss = self.cross_entropy(targets, self.discriminator(both, training=True))
        weights = self.discriminator.trainable_weights
        self.discriminator_optimizer.apply(tape.gradient(d_loss, weights), weights)
        latents = tf.random.normal((count, self.latent_dim))
        with tf.GradientTape() as tape:
            logits = self.discriminator(self.generator(latents, training=True), training=True)
            g_loss = self.cross_entropy(tf.ones((count, 1)), logits)
        weights = self.generator.trainable_weights
        self.generator_optimizer.apply(tape.gradient(g_loss, weights), weights)
        return {"d_loss": d_loss, "g_loss": g_loss}

    def generate(self, count: int, *, seed: int) -> np.ndarray:
        """Draws images in -1 to 1."""
        latents = np.random.default_rng(seed).standard_normal((count, self.latent_dim))
        return self.generator.predict(latents.astype(np.float32), batch_size=256, verbose=0)


def build(contender: str, seed: int) -> tuple[Any, np.ndarray, RunConfig]:
    """Returns a model that `fit` trains, the images and the settings."""
    preset = "mnist" if contender.startswith("mnist") else "article"
    precision = "mixed_bfloat16" if contender.endswith("bfloat16") else "float32"
    config = presets.override(presets.get(preset), precision=precision, seed=seed)
    keras.utils.set_random_seed(seed)
    images = data.load_images("mnist").images
    steps = len(images) // config.training.batch_size
    model = dcgan.DCGAN.from_preset(config, total_steps=steps * config.training.epochs)
    if contender != "alternating":
        return model, images, config
    alternating = Alternating(model.generator, model.discriminator, latent_dim=model.latent_dim)
    alternating.compile()
    return alternating, images, config


def train_keras(contender: str, seed: int, epochs: int | None) -> Iterator[Point]:
    """Yields the number of epochs and samples, epoch by epoch."""
    model, images, config = build(contender, seed)
    batch = config.training.batch_size
    for epoch in range(epochs or config.training.epochs):
        dataset = data.batches(images, batch, seed=seed, repeat=True, first_epoch=epoch)
        model.fit(dataset, steps_per_epoch=len(images) // batch, verbose=0)
        yield epoch + 1, model.generate(10_000, seed=0)


def train_torch(peers: pathlib.Path, epochs: int) -> Iterator[Point]:
    """Yields the same of the PyTorch peer, which trains in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        run_peer(peers, "torch_dcgan.py", "--epochs", str(epochs), "--samples", folder)
        for epoch in range(1, epochs + 1):
            samples = np.load(pathlib.Path(folder) / f"epoch_{epoch:02d}.npz")["images"]
            yield epoch, samples.reshape(-1, 28, 28, 1)


def run_peer(peers: pathlib.Path, name: str, *options: str) -> dict[str, Any]:
    """Runs a peer; returns its last line."""
    command = [sys.executable, str(peers / name), *options]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


def seconds_an_epoch(contender: str, steps: int) -> float:
    """Times steps of a model of this process, the first ones left out as the peers do."""
    model, images, config = build(contender, 0)
    batch = config.training.batch_size
    # As many images as the peers' steps see.
    steps = steps * 256 // batch
    dataset = data.batches(images, batch, repeat=True)
    model.fit(dataset, steps_per_epoch=5, verbose=0)
    start = time.perf_counter()
    model.fit(dataset, steps_per_epoch=steps, verbose=0)
    return (time.perf_counter() - start) / steps * (len(images) // batch)


def speed(arguments: argparse.Namespace) -> None:
    """Adds to the results what an epoch of each contender costs, in the article's epochs."""
    if arguments.contender:
        print(json.dumps({"seconds": seconds_an_epoch(arguments.contender, arguments.steps)}))
        return
    rounds = [_speed_round(arguments.peers, arguments.steps) for _ in range(arguments.rounds)]
    results = _read(arguments.results)
    results["epoch_cost"] = {
        name: round(statistics.median(r[name] / r["article"] for r in rounds), 4) for name in rounds[0]
    }
    results["article_epoch_seconds"] = round(statistics.median(r["article"] for r in rounds), 1)
    results["speed_command"] = f"speed --steps {arguments.steps} --rounds {arguments.rounds}"
    _write(arguments.results, results)


def _speed_round(peers: pathlib.Path, steps: int) -> dict[str, float]:
    """Returns the seconds of an epoch by contender."""
    seconds = {}
    for name in ("article", *CONTENDERS):
        if name in PEERS:
            options = ("--epochs", "1", "--steps", str(steps))
            line = run_peer(peers, PEERS[name], *options)
            seconds[name] = line["train_seconds"] / steps * STEPS_PER_ARTICLE_EPOCH
        else:
            command = [sys.executable, __file__, "speed", str(peers), "-", "--contender", name]
            command += ["--steps", str(steps)]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            seconds[name] = json.loads(output.splitlines()[-1])["seconds"]
    return seconds


def run(arguments: argparse.Namespace) -> None:
    """Trains one contender and adds it to the results."""
    reference = make_reference()
    if arguments.contender == "torch":
        trained = train_torch(arguments.peers, arguments.epochs)
    else:
        trained = train_keras(arguments.contender, arguments.seed, arguments.epochs)
    points = []
    for epoch, samples in trained:
        points.append({"epoch": epoch, **_values(reference.distances(samples))})
        print(points[-1], flush=True)
    _save(arguments.results, arguments.contender, arguments.seed, points, samples, reference)


def add(arguments: argparse.Namespace) -> None:
    """Adds a finished run to the results."""
    directory = RunDirectory.open(arguments.run)
    config = directory.load_config()
    with directory.metrics.open(newline="") as file:
        points = [
            {
                "epoch": int(row["epoch"]),
                "frechet_distance": round(float(row["val_frechet_distance"]), 4),
                "kid": round(float(row["val_kid"]), 4),
            }
            for row in csv.DictReader(file)
        ]
    samples = sampling.load_model(directory.model).generate(10_000, seed=0)
    contender = "mnist-float32" if config.precision == "float32" else "mnist-bfloat16"
    _save(arguments.results, contender, config.seed, points, samples, make_reference())


def make_reference() -> features.Reference:
    """Returns what samples are measured against: the test images, seen by the digits' extractor."""
    return features.Reference.compute(
        data.load_images("mnist", split="test").images,
        features.load("mnist"),
        floor_images=data.load_images("mnist").images,
    )


def _save(
    path: pathlib.Path,
    contender: str,
    seed: int,
    points: list[dict[str, Any]],
    samples: np.ndarray,
    reference: features.Reference,
) -> None:
    """Adds a contender's distances, and what else its last samples are like, to the results."""
    scores = reference.evaluate(samples)
    shares = metrics.class_shares(reference.extractor.embed(samples).probabilities)
    last = _values(scores) | points[-1]
    points[-1] = last | {"class_shares": [round(float(share), 4) for share in shares]}
    results = _read(path)
    others = [run for run in results["runs"] if (run["contender"], run["seed"]) != (contender, seed)]
    entry = {"contender": contender, "seed": seed, "points": points}
    results["floor"] = {name: round(s.floor, 4) for name, s in scores.items() if s.floor is not None}
    results["runs"] = sorted([*others, entry], key=lambda run: (run["contender"], run["seed"]))
    _write(path, results)


def _values(scores: dict[str, metrics.Score]) -> dict[str, float]:
    return {name: round(score.value, 4) for name, score in scores.items()}


def _read(path: pathlib.Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {"runs": []}


def _write(path: pathlib.Path, results: dict[str, Any]) -> None:
    results["environment"] = environment.describe("torch")
    path.write_text(json.dumps(results, indent=1) + "\n")


def _curves(results: pathlib.Path, article: pathlib.Path) -> dict[str, list[np.ndarray]]:
    """Returns, by contender, an array of (article epochs, distance) rows a seed."""
    epochs = json.loads(article.read_text())["epochs"]
    curves = {"article": [np.array([[row["epoch"], row["frechet_distance"]] for row in epochs])]}
    measured = _read(results)
    for entry in measured["runs"]:
        cost = measured["epoch_cost"][entry["contender"]]
        rows = [[cost * point["epoch"], point["frechet_distance"]] for point in entry["points"]]
        curves.setdefault(entry["contender"], []).append(np.array(rows))
    return curves


def table(arguments: argparse.Namespace) -> None:
    """Prints Markdown: when each contender first gets as near as the article does in the end."""
    curves = _curves(arguments.results, arguments.article)
    goal = curves["article"][0][-1, 1]
    print(f"| program | seeds | at most {goal:.2f} after | distance | after |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name in [name for name in ("article", *CONTENDERS) if name in curves]:
        runs = curves[name]
        passed = [rows[rows[:, 1] <= goal][:1, 0] for rows in runs]
        first = f"{max(p[0] for p in passed):.2f}" if all(map(len, passed)) else "not reached"
        # Of seeds that were trained for different times, what all of them have; then the longest.
        for length in sorted({min(map(len, runs)), max(map(len, runs))}):
            ended = [rows for rows in runs if len(rows) >= length]
            distance = _spread([rows[length - 1, 1] for rows in ended])
            time_spent = f"{ended[0][length - 1, 0]:.2f}"
            print(f"| {_label(name)} | {len(ended)} | {first} | {distance} | {time_spent} |")


def _spread(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.3g}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2g}"


def _label(name: str) -> str:
    return CONTENDERS.get(name, "the article's program")


def plot(arguments: argparse.Namespace) -> None:
    """Draws distance against time, both logarithmic."""
    figure, axes = plt.subplots(figsize=(7.2, 4.8), layout="constrained")
    for index, (name, runs) in enumerate(_curves(arguments.results, arguments.article).items()):
        for number, rows in enumerate(runs):
            label = _label(name) if number == 0 else None
            axes.plot(rows[:, 0], rows[:, 1], color=f"C{index}", label=label, marker=".")
    floor = json.loads(arguments.article.read_text())["floor"]["frechet_distance"]
    axes.axhline(floor, color="grey", linestyle=":", label="real images")
    axes.set(xscale="log", yscale="log", xlabel="training time, in epochs of the article's program")
    axes.set_ylabel("Fréchet distance (features mnist)")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(arguments.picture, dpi=130)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    for function in (run, speed):
        one = commands.add_parser(function.__name__)
        one.add_argument("peers", type=pathlib.Path)
        one.add_argument("results", type=pathlib.Path)
        one.add_argument("--contender", choices=CONTENDERS, required=function is run)
        one.set_defaults(function=function)
    finished = commands.add_parser("add")
    finished.add_argument("run", type=pathlib.Path)
    finished.add_argument("results", type=pathlib.Path)
    finished.set_defaults(function=add)
    commands.choices["run"].add_argument("--seed", type=int, default=0)
    commands.choices["run"].add_argument("--epochs", type=int, help="the preset's by default")
    commands.choices["speed"].add_argument("--steps", type=int, default=20)
    commands.choices["speed"].add_argument("--rounds", type=int, default=5)
    for function in (table, plot):
        other = commands.add_parser(function.__name__)
        other.add_argument("results", type=pathlib.Path)
        other.add_argument("article", type=pathlib.Path)
        other.set_defaults(function=function)
    commands.choices["plot"].add_argument("picture", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
