"""The images of a run: those that it trains on and those held out from it, disjoint by index."""

import dataclasses

import numpy as np

from dcgan.config import RunConfig
from dcgan.data import load
from dcgan.data.cache.storage import Storage
from dcgan.data.image_set import ImageSet

FEWEST = 10
"""So many images a run needs on either side for anything to be measured or fitted."""

_SHARE = 0.2
_SEED = 0
_NAMED = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Partition:
    """A run's images in two parts that share no index of the data set.

    Attributes:
        trained_on: All that the run trains on.
        rest: What of it is not in `held_out`; all of it unless `seen`.
        held_out: Images to measure and to calibrate on.
        seen: Whether the run trains on `held_out` as well.
        recorded: Whether they were compared with the run's record of its images, if it has started.
            Defaults to True.

    Example:
        >>> digits = dcgan.ImageSet("my digits", "train", images)
        >>> parts = dcgan.data.Partition.load(dcgan.presets.get("mnist"), digits)
        >>> len(parts.trained_on.images), len(parts.held_out.images)
        (1000, 200)
    """

    trained_on: ImageSet
    rest: ImageSet
    held_out: ImageSet
    seen: bool
    recorded: bool = True

    @classmethod
    def load(
        cls,
        config: RunConfig,
        images: ImageSet | None = None,
        *,
        storage: Storage | None = None,
    ) -> "Partition":
        """Loads a run's images and resolves its splits to indices.

        Held out are those images of the test split that the run does not train on. If fewer than 10
        are left because it trains on the others, a fifth of what it trains on takes their place.

        Args:
            config: The run's config.
            images: The images of a run that was given them, of which a fifth is held out. Defaults to
                None: loaded as the config says.
            storage: As for `load_images`.

        Raises:
            InputError: As for `load_images`.
        """
        if images is not None:
            return cls._within(images)
        trained_on, test = load.load_splits(config, (config.split, "test"), storage)
        unseen = ~np.isin(test.positions, trained_on.positions)
        if unseen.all():
            return cls(trained_on, trained_on, test, seen=False)
        if np.count_nonzero(unseen) < FEWEST:
            return cls._within(trained_on)
        return cls(trained_on, trained_on, test.take(unseen), seen=False)

    @classmethod
    def _within(cls, trained_on: ImageSet) -> "Partition":
        """Holds out a fifth of what the run trains on."""
        order = np.random.default_rng(_SEED).permutation(len(trained_on.images))
        kept = int(len(order) * (1 - _SHARE))
        rest, held_out = (trained_on.take(np.sort(rows)) for rows in (order[:kept], order[kept:]))
        return cls(trained_on, rest, held_out, seen=True)

    def notes(self) -> list[str]:
        """Says, a sentence each, what makes the held-out images less than new to the run."""
        notes = []
        if self.seen:
            notes.append(
                f"The run was trained on all of its images (split {self.trained_on.split}): the "
                f"{len(self.held_out.images):,} that it is compared with are not new to it, which "
                "flatters its metrics."
            )
        if equal := find_equal(self.held_out, self.rest):
            notes.append(describe_equal(equal, len(self.held_out.images)))
        if not self.recorded:
            notes.append("The run has no record of its images (data.json): they may have changed since.")
        return notes


def find_equal(images: ImageSet, others: ImageSet) -> list[tuple[str, str]]:
    """Finds the images of one set that equal an image of another to the byte.

    Args:
        images: The images to look for.
        others: Where to look.

    Returns:
        Their names, each with the name of the first that it equals.
    """
    known, rows = np.unique(others.image_digests, return_index=True)
    found = np.flatnonzero(np.isin(images.image_digests, known))
    places = rows[np.searchsorted(known, images.image_digests[found])]
    return [
        (images.name_image(row), others.name_image(place))
        for row, place in zip(found.tolist(), places.tolist(), strict=True)
    ]


def describe_equal(equal: list[tuple[str, str]], count: int, *, others: str = "training images") -> str:
    """Says how many held-out images equal others, and which.

    Args:
        equal: What `find_equal` returned.
        count: How many images are held out.
        others: What they equal. Defaults to "training images".
    """
    pairs = ", ".join(f"{name} = {other}" for name, other in equal[:_NAMED])
    more = f" and {len(equal) - _NAMED} more" if len(equal) > _NAMED else ""
    return (
        f"{len(equal):,} of {count:,} held-out images equal {others} to the byte, which flatters the "
        f"metrics: {pairs}{more}."
    )
