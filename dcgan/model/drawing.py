"""Drawing images: checked latents, decoded in batches."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from dcgan.errors import InputError


def latents_for(count: int | None, latents: Any, *, latent_dim: int, seed: int) -> np.ndarray:
    """Draws normal latents, or checks given ones.

    Args:
        count: How many; None for 1, or for as many as are given.
        latents: Shape (count, latent_dim), numbers; None to draw them.
        latent_dim: Size of a latent vector.
        seed: Seed of the draw.

    Returns:
        Shape (count, latent_dim), float32.

    Raises:
        InputError: If `count` is below 1, a number is not whole, or `latents` are of another shape or
            not finite.
    """
    if latents is None:
        count = 1 if count is None else _check_count("count", count)
        return tf.random.stateless_normal((count, latent_dim), [check_whole("seed", seed), 0]).numpy()
    try:
        latents = np.asarray(latents)
    except ValueError:
        raise InputError("latents: expected rows of one length") from None
    count = _check_count("count", len(np.atleast_1d(latents)) if count is None else count)
    if latents.shape != (count, latent_dim) or latents.dtype.kind not in "fiu":
        raise InputError(
            f"latents: expected numbers of shape {(count, latent_dim)}. "
            f"Received: {latents.dtype} of shape {latents.shape}"
        )
    with np.errstate(over="ignore"):
        latents = latents.astype(np.float32)
    if not np.isfinite(latents).all():
        raise InputError("latents: expected finite numbers. Received: NaN or infinity")
    return latents


def in_batches(
    decode: Callable[..., tf.Tensor], inputs: Sequence[np.ndarray], batch_size: int
) -> np.ndarray:
    """Decodes latents, alone or with labels, `batch_size` at once.

    Raises:
        InputError: If `batch_size` is not at least 1.
    """
    _check_count("batch_size", batch_size)
    batches = [
        decode(*(tf.constant(each[start : start + batch_size]) for each in inputs)).numpy()
        for start in range(0, len(inputs[0]), batch_size)
    ]
    return np.concatenate(batches)


def _check_count(name: str, value: Any) -> int:
    if check_whole(name, value) < 1:
        raise InputError(f"{name}: expected a whole number of at least 1. Received: {value}")
    return int(value)


def check_whole(name: str, value: Any) -> int:
    """Returns a whole number; raises `InputError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InputError(f"{name}: expected a whole number. Received: {value!r}")
    return int(value)
