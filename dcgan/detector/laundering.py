"""Fakes with the pixel values of reals, so that no histogram tells them apart."""

import numpy as np


def launder(fakes: np.ndarray, reals: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Remaps all fakes' pixel values together, by rank, onto the reals' pooled values.

    The darkest share of the fakes' pixels gets the darkest values of the reals' in the same share, and
    so on, a channel at a time; among equal values chance decides. What is left to tell the two apart
    is where the values lie, not which there are.

    Args:
        fakes: Shape (count, height, width, channels), uint8; at least one.
        reals: Shape (any count, any height, any width, channels), uint8.
        seed: Of the order among equal values. Defaults to 0.

    Returns:
        Shape of `fakes`, uint8.

    Example:
        >>> launder(np.uint8([[[[9], [3]]]]), np.uint8([[[[200], [0]]]]))[0, 0, :, 0]
        array([200,   0], dtype=uint8)
    """
    rng = np.random.default_rng(seed)
    channels = [
        _match(fakes[..., index].ravel(), reals[..., index].ravel(), rng)
        for index in range(fakes.shape[-1])
    ]
    return np.stack(channels, axis=-1).reshape(fakes.shape)


def _match(values: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Replaces values by those of equal rank: level by level, so that nothing has to be sorted."""
    counts = np.bincount(wanted, minlength=256)
    # How many of the values lie at or below each level of the wanted distribution.
    ends = np.rint(np.cumsum(counts) / len(wanted) * len(values)).astype(np.int64)
    by_rank = np.repeat(np.arange(256, dtype=np.uint8), np.diff(ends, prepend=0))
    matched = np.empty_like(values)
    start = 0
    for level, count in enumerate(np.bincount(values, minlength=256)):
        if count:
            matched[values == level] = rng.permutation(by_rank[start : start + count])
            start += count
    return matched


def launder_each(fakes: np.ndarray, reals: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Gives each fake the pixel values of one real image, by rank.

    Where `launder` matches all values together, and leaves a mixture in each image that no real one
    has, this leaves nothing to find in an image's values. The brightest fake takes the values of the
    brightest of as many reals, and so on.

    Args:
        fakes: As for `launder`.
        reals: Shape (any count, height, width, channels), uint8.
        seed: Of the reals that are taken and the order among equal values. Defaults to 0.

    Returns:
        Shape of `fakes`, uint8.
    """
    rng = np.random.default_rng(seed)
    chosen = reals[rng.choice(len(reals), len(fakes), replace=len(fakes) > len(reals))]
    laundered = np.empty_like(fakes)
    for fake, real in zip(_by_brightness(fakes), _by_brightness(chosen), strict=True):
        for channel in range(fakes.shape[-1]):
            values = fakes[fake, ..., channel]
            order = np.lexsort((rng.random(values.size), values.ravel()))
            matched = np.empty(values.size, np.uint8)
            matched[order] = np.sort(chosen[real, ..., channel], axis=None)
            laundered[fake, ..., channel] = matched.reshape(values.shape)
    return laundered


def _by_brightness(images: np.ndarray) -> np.ndarray:
    return np.argsort(images.mean(axis=(1, 2, 3)), kind="stable")
