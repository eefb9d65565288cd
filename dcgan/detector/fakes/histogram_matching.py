"""Fakes with the pixel values of reals, so that no histogram tells them apart."""

import numpy as np

from dcgan.data import indexed_images
from dcgan.data.indexed_images import Images


def match_histograms(
    fakes: np.ndarray, reals: Images, *, groups: np.ndarray | None = None, seed: int = 0
) -> np.ndarray:
    """Remaps all fakes' pixel values together, by rank, onto the reals' pooled values.

    In each channel, the darkest share of the fakes' pixels gets the values of the same share of the
    reals' pixels, and so on; among equal values chance decides. What can still tell the two apart is
    where values lie, not which values there are.

    Args:
        fakes: Shape (count, height, width, channels), uint8; at least one.
        reals: Shape (any count, any height, any width, channels), uint8.
        groups: Shape (count,); only fakes of the same group are ranked together. Defaults to one group.
        seed: Seed for the order among equal values. Defaults to 0.

    Returns:
        Shape of `fakes`, uint8.

    Example:
        >>> match_histograms(np.uint8([[[[9], [3]]]]), np.uint8([[[[200], [0]]]]))[0, 0, :, 0]
        array([200,   0], dtype=uint8)
    """
    rng = np.random.default_rng(seed)
    members = [slice(None)] if groups is None else [groups == group for group in np.unique(groups)]
    matched = np.empty_like(fakes)
    counts = np.zeros((fakes.shape[-1], 256), np.int64)
    for batch in indexed_images.in_batches(reals):
        for channel, count in enumerate(counts):
            count += np.bincount(batch[..., channel].ravel(), minlength=256)
    for channel, shares in enumerate(counts / counts.sum(axis=1, keepdims=True)):
        for chosen in members:
            matched[chosen, ..., channel] = _match(fakes[chosen, ..., channel], shares, rng)
    return matched


def _match(values: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Replaces values by levels that have these shares, by rank, equal ones in random order."""
    ends = np.rint(np.cumsum(shares) * values.size).astype(np.int64)
    shuffled = rng.permutation(values.size)
    # Stable, for which bytes are sorted in linear time.
    order = shuffled[np.argsort(values.ravel()[shuffled], kind="stable")]
    matched = np.empty(values.size, np.uint8)
    matched[order] = np.repeat(np.arange(256, dtype=np.uint8), np.diff(ends, prepend=0))
    return matched.reshape(values.shape)


def match_histograms_individually(fakes: np.ndarray, reals: Images, *, seed: int = 0) -> np.ndarray:
    """Gives each fake the pixel values of one real image, by rank.

    `match_histograms` matches all values together and may leave an image with a mixture of values that
    no real one has; this leaves nothing to find in an image's values. The brightest fake takes the
    values of the brightest of as many reals, and so on.

    Args:
        fakes: As for `match_histograms`.
        reals: Shape (any count, height, width, channels), uint8.
        seed: Seed for the choice of reals and the order among equal values. Defaults to 0.

    Returns:
        Shape of `fakes`, uint8.
    """
    rng = np.random.default_rng(seed)
    chosen = reals[rng.choice(len(reals), len(fakes), replace=len(fakes) > len(reals))]
    matched = np.empty_like(fakes)
    for fake, real in zip(_by_brightness(fakes), _by_brightness(chosen), strict=True):
        for channel in range(fakes.shape[-1]):
            values = fakes[fake, ..., channel]
            order = np.lexsort((rng.random(values.size), values.ravel()))
            levels = np.empty(values.size, np.uint8)
            levels[order] = np.sort(chosen[real, ..., channel], axis=None)
            matched[fake, ..., channel] = levels.reshape(values.shape)
    return matched


def _by_brightness(images: np.ndarray) -> np.ndarray:
    return np.argsort(images.mean(axis=(1, 2, 3)), kind="stable")
