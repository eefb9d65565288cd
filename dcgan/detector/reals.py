"""A run's real images: those to learn from, to calibrate on and to test on."""

import dataclasses
from typing import Self

import numpy as np

from dcgan import data
from dcgan.config import RunConfig
from dcgan.errors import InputError

_SEED = 0
_HELD_OUT = 0.2
_FEWEST = 10


@dataclasses.dataclass(frozen=True, eq=False)
class Reals:
    """Real images in three disjoint parts.

    Attributes:
        train: Images to learn from, shape (count, height, width, channels), uint8.
        calibration: Images to set the threshold on.
        test: Images to evaluate on.
    """

    train: np.ndarray
    calibration: np.ndarray
    test: np.ndarray

    @classmethod
    def load(cls, config: RunConfig) -> Self:
        """Loads a run's images: its own split to learn from, halves of the test split for the rest.

        If the run has trained on its test split too, a fifth of its images is kept out of the detector's
        training instead.

        Args:
            config: The run's configuration.

        Raises:
            InputError: If the images cannot be used or are too few.
        """
        train = data.load_split(config, config.split).images
        rng = np.random.default_rng(_SEED)
        if "test" in config.split or "all" in config.split:
            order = rng.permutation(len(train))
            kept = int(len(train) * (1 - _HELD_OUT))
            train, held_out = train[order[:kept]], train[order[kept:]]
        else:
            held_out = rng.permutation(data.load_split(config, "test").images)
        if min(len(train), len(held_out)) < _FEWEST:
            raise InputError(
                f"{config.data}: expected at least {_FEWEST} images to learn from and as many to test "
                f"on, found {len(train)} and {len(held_out)}"
            )
        half = len(held_out) // 2
        return cls(train, held_out[:half], held_out[half:])
