"""Measures folders of samples, a file an epoch, and prints JSON.

    python benchmarks/measure_samples.py SAMPLES [--times LOG]

`SAMPLES` holds `epoch_01.npz` ... (key `images`, shape (count, 28, 28), uint8), as a training program
writes them after each epoch; `LOG` has a JSON line an epoch with `epoch` and `train_seconds`. Each
file is compared with the 10,000 test images of the bundled MNIST by its extractor; the floor is what
10,000 training images get.
"""

import argparse
import json
import pathlib

import numpy as np

import dcgan
from dcgan import features
from dcgan.features import Reference
from dcgan.runs import replay_files


def main() -> None:
    """Prints a row an epoch, with the floor and the extractor."""
    parser = argparse.ArgumentParser()
    parser.add_argument("samples", type=pathlib.Path)
    parser.add_argument("--times", type=pathlib.Path)
    arguments = parser.parse_args()
    extractor = features.load("mnist")
    train = dcgan.load_images("mnist", split="train").images
    chosen = np.random.default_rng(0).choice(len(train), 10_000, replace=False)
    test = dcgan.load_images("mnist", split="test").images
    reference = Reference.compute(test, extractor, floor_images=train[chosen])
    seconds = _read_times(arguments.times) if arguments.times else {}
    rows, floor = [], {}
    for path in replay_files.list_all(arguments.samples):
        epoch = replay_files.epoch_of(path)
        scores = reference.evaluate(np.load(path)["images"].reshape(-1, 28, 28, 1))
        floor = {name: score.floor for name, score in scores.items()}
        values = {name: round(score.value, 6) for name, score in scores.items()}
        rows.append({"epoch": epoch, "train_seconds": seconds.get(epoch), **values})
    print(
        json.dumps(
            {"features": extractor.name, "digest": extractor.digest, "floor": floor, "epochs": rows},
            indent=1,
        )
    )


def _read_times(path: pathlib.Path) -> dict[int, float]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["epoch"]: line["train_seconds"] for line in lines}


if __name__ == "__main__":
    main()
