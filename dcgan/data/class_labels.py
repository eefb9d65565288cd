"""The labels of images as a class-conditional GAN needs them."""

from collections.abc import Sequence

import numpy as np

from dcgan.data.image_set import ImageSet
from dcgan.errors import InputError


def count_classes(images: ImageSet) -> int:
    """Counts the classes of a conditional GAN: the named ones, or those up to the highest label.

    Args:
        images: What it is to be trained on.

    Raises:
        InputError: If there are no labels, they are below 0, or all images have the same.
    """
    labels = _labels(images)
    if labels.min() < 0:
        raise InputError(f"{images.name}: expected labels of at least 0. Received: {labels.min()}")
    if labels.min() == labels.max():
        raise InputError(
            f"{images.name}: expected at least two classes for --conditional. Received: only "
            f"{describe(int(labels[0]), images.class_names)} in split {images.split}"
        )
    return len(images.class_names) if images.class_names else int(labels.max()) + 1


def training_labels(images: ImageSet, classes: int) -> np.ndarray | None:
    """Returns the labels to train a GAN with; None for an unconditional one.

    Args:
        images: What it is trained on.
        classes: How many classes it has; 0 for an unconditional one.

    Returns:
        Shape (count,), int64, 0 to classes - 1.

    Raises:
        InputError: If there are no labels, or others.
    """
    if not classes:
        return None
    labels = _labels(images)
    if labels.min() < 0 or labels.max() >= classes:
        raise InputError(
            f"{images.name}: expected labels from 0 to {classes - 1}, as the config has "
            f"classes={classes}. Received: {labels.min()} to {labels.max()}"
        )
    return labels


def find(text: str, *, classes: int, names: Sequence[str] | None) -> int:
    """Finds a class by its name or its number.

    Args:
        text: The name, which comes first, or the number.
        classes: How many classes there are.
        names: Their names, or None where unknown.

    Raises:
        InputError: If there is no such class.
    """
    if names and text in names:
        return list(names).index(text)
    if text.isdecimal() and int(text) < classes:
        return int(text)
    known = f", or one of {', '.join(names)}" if names else ""
    raise InputError(
        f"--label: expected a class's number from 0 to {classes - 1}{known}. Received: {text!r}"
    )


def describe(label: int, names: Sequence[str] | None) -> str:
    """Returns the name of a class, or its number where it has none."""
    return names[label] if names and label < len(names) else str(label)


def _labels(images: ImageSet) -> np.ndarray:
    if images.labels is None:
        raise InputError(
            f"{images.name}: expected images with labels for a conditional GAN: a folder with a folder "
            "for each class, a data set with labels, or a .npz file with an array 'labels'"
        )
    return images.labels
