"""Feature extractors from labelled data sets, measured and saved."""

import dataclasses
import os
import pathlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dcgan.errors import InputError
from dcgan.features import feature_files, feature_training
from dcgan.features.feature_extractor import FeatureExtractor

if TYPE_CHECKING:
    import keras

    from dcgan import data

_LABELLED = (
    "a TensorFlow Datasets set with labels, a folder with one sub-folder a class, "
    "or IDX files with labels"
)


def fit_extractor_file(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    split: str = "train",
    image_size: int | None = None,
    channels: int | None = None,
    epochs: int = 12,
    seed: int = 0,
    callbacks: Sequence["keras.callbacks.Callback"] = (),
) -> FeatureExtractor:
    """Trains a feature extractor on labelled data, measures it on the test split and saves it.

    Args:
        source: As for `dcgan.load_images`, with labels.
        out: The ".keras" file to write; its name without the suffix becomes the extractor's.
        split: What the extractor learns from; no test images, which it is measured on and will measure
            against. Defaults to "train".
        image_size: Pixels a side, those of the runs to be measured. Defaults to the source's own.
        channels: 1 for grey, 3 for RGB, likewise. Defaults to the source's own.
        epochs: Passes over the images. Defaults to 12.
        seed: Of everything random. Defaults to 0.
        callbacks: Called as the extractor learns. Defaults to none.

    Returns:
        The extractor, with its accuracy on the test split.

    Raises:
        InputError: If the data have no labels or are not square images of 28 to 128 pixels, the
            split holds test images, or the file cannot be written.

    Example:
        >>> fit_extractor_file("fashion_mnist", "fashion.keras").accuracy
        0.93
    """
    _check_split(split)
    path = _prepare(out)
    train = _load(source, split, image_size, channels)
    test = _load(source, "test", image_size, channels)
    try:
        extractor = feature_training.fit_extractor(
            train.images,
            _labels(train),
            name=path.stem,
            trained_on=f"{train.name}:{split}",
            epochs=epochs,
            seed=seed,
            callbacks=callbacks,
        )
    except ValueError as error:
        raise InputError(f"{source}: {error}") from error
    extractor = dataclasses.replace(
        extractor, accuracy=extractor.measure_accuracy(test.images, _labels(test))
    )
    try:
        feature_files.save(extractor, path)
    except OSError as error:
        raise InputError(f"{path}: expected a file to write ({error})") from None
    return extractor


def _check_split(split: str) -> None:
    if re.search(r"\b(all|test)\b", split):
        raise InputError(
            f"split {split!r}: expected one without test images, which the extractor is measured on"
        )


def _prepare(out: str | os.PathLike[str]) -> pathlib.Path:
    """Makes sure before hours of work that the result has a place."""
    path = pathlib.Path(out)
    if path.suffix != ".keras":
        raise InputError(f"{path}: expected the name of a .keras file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: expected a file to write ({error})") from None
    return path


def _load(
    source: str | os.PathLike[str], split: str, image_size: int | None, channels: int | None
) -> "data.ImageSet":
    from dcgan import data

    loaded = data.load_images(source, split=split, image_size=image_size, channels=channels)
    if loaded.labels is None:
        raise InputError(f"{source}: expected labelled images: {_LABELLED}")
    return loaded


def _labels(images: "data.ImageSet") -> np.ndarray:
    return np.asarray(images.labels)
