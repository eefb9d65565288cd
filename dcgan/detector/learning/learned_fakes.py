"""Fakes that a user gives to be learned from."""

import os
from collections.abc import Mapping

import numpy as np

from dcgan import data
from dcgan.data import ImageSet, remarks
from dcgan.data.indexed_images import Images
from dcgan.detector.fakes.fake_pool import LEARNED, FakePool, Fakes
from dcgan.detector.inputs.reals import Reals
from dcgan.errors import InputError

FEWEST = 20
"""So many different fakes of a generator are learned from at least."""

_PREFIX = f"{LEARNED}-"
_MOST_BYTES = 2**28
_NAMED = 5

Source = str | os.PathLike[str] | np.ndarray


def load_learned(sources: Mapping[str, Source], reals: Reals) -> list[Fakes]:
    """Loads each generator's fakes, in random order and without copies.

    Args:
        sources: By the generator's name, anything `dcgan.load_images` loads.
        reals: The run's reals, which none of the fakes may equal.

    Returns:
        The fakes, of the family `LEARNED`.

    Raises:
        InputError: If images cannot be loaded, are too few, or are among the run's reals.
    """
    size, _, channels = reals.train.shape[1:]
    known = np.concatenate([_digests(part) for part in (reals.train, reals.calibration, reals.test)])
    return [
        _choose(
            _PREFIX + name,
            data.load_images(source, split="all", image_size=size, channels=channels),
            known,
        )
        for name, source in sources.items()
    ]


def name_of(generator: str) -> str:
    """Returns the name that the user gave a learned generator of the pool."""
    return generator.removeprefix(_PREFIX)


def find_new(given: FakePool, pool: FakePool) -> np.ndarray:
    """Finds fakes that a pool does not have.

    Args:
        given: Learned fakes, with the file history of those in the pool.
        pool: The pool.

    Returns:
        Shape (fakes given,), bool.
    """
    return ~np.isin(_digests(given.images), _digests(pool.images[pool.is_learned]))


def leave_out_known(given: FakePool, pool: FakePool) -> FakePool:
    """Leaves out fakes that a pool has.

    Args:
        given: Learned fakes, with the file history of those in the pool.
        pool: The pool.

    Raises:
        InputError: If nothing is left of a generator.
    """
    new = find_new(given, pool)
    for generator, count in given.counts().items():
        if not new[given.generators == generator].any():
            raise InputError(
                f"{name_of(generator)}: expected fakes to learn from; all {count:,} were learned from "
                f"before. `dcgan detect evaluate RUN` tests the detector that has learned from them"
            )
    return given.where(new)


def _choose(generator: str, images: ImageSet, reals: np.ndarray) -> Fakes:
    taken = np.flatnonzero(np.isin(images.image_digests, reals))
    if len(taken):
        more = f" and {len(taken) - _NAMED} more" if len(taken) > _NAMED else ""
        names = ", ".join(map(images.name_image, taken[:_NAMED].tolist()))
        raise InputError(
            f"{images.name}: expected fakes; {len(taken):,} of {len(images.images):,} are among the "
            f"run's real images: {names}{more}"
        )
    first = np.unique(images.image_digests, return_index=True)[1]
    if len(first) < FEWEST:
        raise InputError(
            f"{images.name}: expected at least {FEWEST} different fakes to learn from. Received: "
            f"{len(first)}"
        )
    most = max(FEWEST, _MOST_BYTES // images.images[0].nbytes)
    if len(first) > most:
        remarks.say(f"{images.name}: {most:,} of {len(first):,} fakes, by chance, are learned from")
    rows = np.random.default_rng(0).permutation(np.sort(first))[:most]
    chosen = images.take(rows)
    known = chosen.jpeg_qualities
    qualities = np.zeros(len(rows), np.uint8) if known is None else known
    return Fakes(generator, LEARNED, np.asarray(chosen.images), qualities)


def _digests(images: Images) -> np.ndarray:
    return ImageSet("", "", images).image_digests
