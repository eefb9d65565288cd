"""How images were saved before they came here, and how both classes get the same history.

A network that sees JPEGs among one class only learns to tell files, not fakes.
"""

import functools
from typing import Any

import numpy as np

from dcgan.data import ImageSet
from dcgan.data.indexed_images import Images, IndexedImages
from dcgan.detector.delivery import deliveries

# From this share of JPEGs among the reals on, other images are of another kind.
_NEARLY_ALL = 0.95


def share_of_jpegs(qualities: np.ndarray | None) -> float:
    """Returns which share of images came as JPEGs; none of those of which nothing is known.

    Args:
        qualities: The quality of each, 0 for others, shape (count,), uint8; None if unknown.
    """
    return 0.0 if qualities is None or not len(qualities) else float(np.mean(qualities > 0))


def typical_quality(qualities: np.ndarray) -> int:
    """Returns the middle quality of those images that came as JPEGs, of which there must be some."""
    return int(np.median(qualities[qualities > 0]))


def compress(images: np.ndarray, qualities: np.ndarray) -> np.ndarray:
    """Brings each image through JPEG of its own quality.

    Args:
        images: Shape (count, height, width, 1 or 3), uint8.
        qualities: Shape (count,), uint8, 0 for an image that stays as it is.

    Returns:
        The shape of `images`, uint8.
    """
    compressed = images.copy()
    for quality in np.unique(qualities[qualities > 0]).tolist():
        rows = np.flatnonzero(qualities == quality)
        encode = deliveries.chain(functools.partial(deliveries.jpeg, quality=quality))
        compressed[rows] = encode(images[rows], 0)
    return compressed


class _Compressed(IndexedImages):
    """Images that are brought through JPEG as they are read."""

    def __init__(self, images: IndexedImages, qualities: np.ndarray) -> None:
        super().__init__(images[:0], np.arange(len(images)))
        self._images, self._qualities = images, qualities

    def take(self, rows: np.ndarray) -> IndexedImages:
        return _Compressed(self._images.take(rows), self._qualities[rows])

    def __getitem__(self, index: Any) -> np.ndarray:
        pixels, qualities = self._images[index], self._qualities[index]
        each = compress(pixels.reshape(-1, *self.shape[1:]), np.atleast_1d(qualities))
        return each.reshape(pixels.shape)


def match_reals(
    fakes: np.ndarray, qualities: np.ndarray, reals: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Gives fakes that never were JPEGs the histories of reals.

    Args:
        fakes: Shape (count, height, width, channels), uint8.
        qualities: Their JPEG qualities, shape (count,), uint8.
        reals: The reals' JPEG qualities, shape (any,), or None if unknown.

    Returns:
        The fakes and their qualities: each that had none has that of a real. Equal fakes get the same.
    """
    if reals is None or not share_of_jpegs(reals):
        return fakes, qualities
    drawn = reals[ImageSet("", "", fakes).image_digests % len(reals)]
    added = np.where(qualities > 0, 0, drawn).astype(np.uint8)
    return compress(fakes, added), np.maximum(qualities, added)


def match_fakes(
    reals: Images,
    qualities: np.ndarray | None,
    fakes: np.ndarray,
    *,
    likelihoods: np.ndarray,
    seed: int = 0,
) -> Images:
    """Compresses as many reals as it takes for JPEGs to be as frequent among them as among fakes.

    Args:
        reals: Shape (count, height, width, channels), uint8.
        qualities: Their JPEG qualities, shape (count,), or None if unknown.
        fakes: The fakes' JPEG qualities, shape (any,), uint8.
        likelihoods: How likely each fake is to be drawn, up to a factor.
        seed: Seed of the choice. Defaults to 0.

    Returns:
        The reals, or a copy of them in which some are compressed; those that are not in memory are
        compressed as they are read.
    """
    chances = likelihoods * (fakes > 0)
    wanted, present = chances.sum() / likelihoods.sum(), share_of_jpegs(qualities)
    if wanted <= present:
        return reals
    rng = np.random.default_rng(seed)
    chosen = rng.random(len(reals)) < (wanted - present) / (1 - present)
    chosen &= qualities == 0 if qualities is not None else True
    drawn = rng.choice(fakes, len(reals), p=chances / chances.sum())
    added = np.where(chosen, drawn, 0).astype(np.uint8)
    return compress(reals, added) if isinstance(reals, np.ndarray) else _Compressed(reals, added)


def describe(reals: np.ndarray | None, learned: np.ndarray) -> list[str]:
    """Says, a sentence each, where the classes had been saved otherwise, and what was done about it.

    Args:
        reals: The reals' JPEG qualities, or None if unknown.
        learned: Those of the fakes that the user gave, shape (any,), uint8.
    """
    share, sentences = share_of_jpegs(reals), []
    if reals is not None and share:
        sentences.append(
            f"{share:.0%} of the reals are JPEG (quality {typical_quality(reals)}), generators draw "
            f"none: as many of the fakes were brought through it, to learn from and to measure on."
        )
        if share > _NEARLY_ALL:
            sentences.append(
                "So the promise is about JPEGs: of other photographs, more may be called fake."
            )
    if (among := share_of_jpegs(learned)) > share:
        sentences.append(
            f"{among:.0%} of the learned fakes are JPEG (quality {typical_quality(learned)}), of the "
            f"reals {share:.0%}: as many reals as fakes were brought through it."
        )
    return sentences
