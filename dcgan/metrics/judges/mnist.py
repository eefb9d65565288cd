"""Trains the judge of digits that comes with the package: ``python -m dcgan.metrics.judges.mnist``.

It learns from the train split only; the accuracy in the JSON file beside the weights is that of the
test split.
"""

import argparse
import dataclasses
import pathlib
import sys

import numpy as np

from dcgan import data
from dcgan.metrics.judges import fitting, store

_OUTPUT = pathlib.Path(__file__).with_name("weights") / "mnist.keras"


def main(arguments: list[str] | None = None) -> None:
    """Trains, measures and saves the judge.

    Args:
        arguments: Command line arguments. Defaults to those of the process.
    """
    parser = argparse.ArgumentParser(description="Trains the judge of MNIST digits.")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=pathlib.Path, default=_OUTPUT)
    options = parser.parse_args(arguments)
    train = data.load_images("mnist", split="train")
    judge = fitting.fit_judge(
        train.images,
        np.asarray(train.labels),
        name="mnist",
        learned_from="mnist:train",
        epochs=options.epochs,
        seed=options.seed,
        verbose=2,
    )
    test = data.load_images("mnist", split="test")
    accuracy = judge.measure_accuracy(test.images, np.asarray(test.labels))
    store.save(dataclasses.replace(judge, accuracy=accuracy), options.output)
    sys.stdout.write(f"{options.output}: test accuracy {accuracy:.2%}\n")


if __name__ == "__main__":
    main()
