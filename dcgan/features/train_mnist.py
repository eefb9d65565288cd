"""Trains the extractor of digits that comes with the package: ``python -m dcgan.features.train_mnist``.

It learns from the train split only; the accuracy in the JSON file beside the weights is that of the
test split.
"""

import argparse
import pathlib
import sys

from dcgan.features import labelled_features

_OUTPUT = pathlib.Path(__file__).with_name("weights") / "mnist.keras"


def main(arguments: list[str] | None = None) -> None:
    """Trains, measures and saves the extractor.

    Args:
        arguments: Command line arguments. Defaults to those of the process.
    """
    parser = argparse.ArgumentParser(description="Trains the extractor of MNIST digits.")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=pathlib.Path, default=_OUTPUT)
    options = parser.parse_args(arguments)
    extractor = labelled_features.fit_extractor_file(
        "mnist", options.output, epochs=options.epochs, seed=options.seed
    )
    sys.stdout.write(f"{options.output}: test accuracy {extractor.accuracy:.2%}\n")


if __name__ == "__main__":
    main()
