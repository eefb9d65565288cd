"""What every source of images becomes."""

import dataclasses
import functools
import hashlib

import numpy as np


@dataclasses.dataclass(frozen=True)
class Request:
    """What to load from a source.

    Args:
        split: Part of the source, in TensorFlow Datasets' syntax. Defaults to "train".
        image_size: Side in pixels; None for the source's own.
        channels: 1 for grey or 3 for RGB; None for the source's own.
        skip_bad: Leave out files that cannot be read. Defaults to False.
    """

    split: str = "train"
    image_size: int | None = None
    channels: int | None = None
    skip_bad: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSet:
    """Images in memory, with their source.

    Args:
        name: The source: "mnist", "tfds:celeb_a", or a path as given.
        split: The part of the source, such as "train[:1000]".
        images: Shape (count, height, width, channels), uint8, 0 to 255.
        labels: Shape (count,), int64, or None for unlabelled images.
        class_names: The name of each label, or None where unknown.
        skipped: How many files were left out because they could not be read. Defaults to 0.
    """

    name: str
    split: str
    images: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None
    skipped: int = 0

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the images' shape and pixels, in hexadecimal; the same on every machine."""
        content = hashlib.sha256(repr(self.images.shape).encode())
        content.update(np.ascontiguousarray(self.images).data)
        return content.hexdigest()
