"""What every source of images becomes."""

import dataclasses
import functools
import hashlib

import numpy as np

from dcgan.data import indexed_images
from dcgan.data.cache.storage import Storage


@dataclasses.dataclass(frozen=True)
class Request:
    """What to load from a source.

    Args:
        split: Part of the source, in TensorFlow Datasets' syntax. Defaults to "train".
        image_size: Side in pixels; None for the source's own.
        channels: 1 for grey or 3 for RGB; None for the source's own.
        skip_bad: Leave out files that cannot be read. Defaults to False.
        storage: How much memory they may take, and where else they are kept.
    """

    split: str = "train"
    image_size: int | None = None
    channels: int | None = None
    skip_bad: bool = False
    storage: Storage = dataclasses.field(default_factory=Storage)


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with their source, in memory or in a file.

    Args:
        name: The source: "mnist", "tfds:celeb_a", or a path as given.
        split: The part of the source, such as "train[:1000]".
        images: Shape (count, height, width, channels), uint8, 0 to 255: an array, or what is read from
            a cache, or chosen from an array, as it is indexed.
        labels: Shape (count,), int64, or None for unlabelled images.
        class_names: The name of each label, or None where unknown.
        skipped: How many files were left out because they could not be read. Defaults to 0.
        positions: Shape (count,), int64, the index of each image in the whole source, whatever split it
            was asked for by. Defaults to 0, 1, 2 and so on.
        files: The source's files by index, relative to it, or None if each image is no file of its own.
        jpeg_qualities: Shape (count,), uint8: the quality of each image that was a JPEG and has kept
            its pixels' size, 0 for others. Defaults to None, unknown.

    Example:
        >>> digits = dcgan.ImageSet("my digits", "train", images, labels=labels)
        >>> digits.take(np.flatnonzero(labels == 7)).images.shape
        (99, 28, 28, 1)
    """

    name: str
    split: str
    images: indexed_images.Images
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None
    skipped: int = 0
    positions: np.ndarray = None  # type: ignore[assignment]
    files: tuple[str, ...] | None = None
    jpeg_qualities: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Numbers the images of a source that has no others."""
        if self.positions is None:
            object.__setattr__(self, "positions", np.arange(len(self.images)))

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the images' shape and hashes, in hexadecimal; the same on every machine."""
        content = hashlib.sha256(repr(self.images.shape).encode())
        content.update(self.image_digests.data)
        return content.hexdigest()

    @functools.cached_property
    def image_digests(self) -> np.ndarray:
        """A hash of each image's pixels, shape (count,), uint64; equal images have equal hashes."""
        if isinstance(self.images, indexed_images.IndexedImages):
            return self.images.hashes
        return indexed_images.hash_images(self.images)

    def take(self, rows: np.ndarray) -> "ImageSet":
        """Returns some of the images, without a copy of their pixels.

        Args:
            rows: Their row numbers, or which they are; shape (any,), int or bool.
        """
        return dataclasses.replace(
            self,
            images=indexed_images.take(self.images, rows),
            labels=None if self.labels is None else self.labels[rows],
            positions=self.positions[rows],
            jpeg_qualities=None if self.jpeg_qualities is None else self.jpeg_qualities[rows],
        )

    def name_image(self, row: int) -> str:
        """Names an image: its file, or its index in the source."""
        position = int(self.positions[row])
        return self.files[position] if self.files else f"image {position}"
