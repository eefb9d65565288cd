"""A run's real images: those to learn from, to calibrate on and to test on."""

import dataclasses
from typing import Self

import numpy as np

from dcgan import data
from dcgan.config import RunConfig
from dcgan.data import partition
from dcgan.data.indexed_images import Images
from dcgan.errors import InputError

_SEED = 0


@dataclasses.dataclass(frozen=True, eq=False)
class Reals:
    """Real images in three disjoint parts.

    Attributes:
        train: Images to learn from, shape (count, height, width, channels), uint8. These and the
            others may lie in a file, and are read by their rows.
        calibration: Images to set the threshold on.
        test: Images to evaluate on.
        seen: Whether the run itself was trained on those to calibrate and to test on. Defaults to False.
        notes: What else readers must know about the images. Defaults to nothing.
        train_labels: The labels of `train`, shape (count,), integers. Defaults to None, unknown.
        jpeg_qualities: The JPEG qualities of `train`, see `ImageSet`. Defaults to None, unknown.

    Example:
        >>> reals = dcgan.detector.Reals(images[:600], calibration=images[600:800], test=images[800:])
        >>> len(reals.train), len(reals.calibration), len(reals.test)
        (600, 200, 200)
    """

    train: Images
    calibration: Images
    test: Images
    seen: bool = False
    notes: tuple[str, ...] = ()
    train_labels: np.ndarray | None = None
    jpeg_qualities: np.ndarray | None = None

    @classmethod
    def load(cls, config: RunConfig) -> Self:
        """Loads a run's images and splits them as `of` does.

        Args:
            config: The run's configuration.

        Raises:
            InputError: If the images cannot be used or are too few.
        """
        return cls.of(data.Partition.load(config))

    @classmethod
    def of(cls, images: data.Partition) -> Self:
        """Takes the images that are not held out to learn from, halves of the others for the rest.

        Args:
            images: The run's images.

        Raises:
            InputError: If they are too few.
        """
        rest, held_out = images.rest, images.held_out
        if min(len(rest.images), len(held_out.images)) < partition.FEWEST:
            raise InputError(
                f"{rest.name}: expected at least {partition.FEWEST} images to learn from and as many to "
                f"test on, found {len(rest.images)} and {len(held_out.images)}"
            )
        calibration, test = (held_out.take(rows) for rows in halves(len(held_out.images)))
        notes = images.notes()
        if equal := partition.find_equal(test, calibration):
            notes.append(partition.describe_equal(equal, len(test.images), others="calibration images"))
        return cls(
            rest.images,
            calibration.images,
            test.images,
            seen=images.seen,
            notes=tuple(notes),
            train_labels=rest.labels,
            jpeg_qualities=rest.jpeg_qualities,
        )


def halves(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns which of so many held-out images a detector is calibrated and tested on.

    Args:
        count: How many images are held out.

    Returns:
        Their row numbers, those to calibrate on first.
    """
    order = np.random.default_rng(_SEED).permutation(count)
    return order[: count // 2], order[count // 2 :]
