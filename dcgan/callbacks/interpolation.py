"""Walks between latents, which show whether the generator is smooth or has memorized."""

import os
import pathlib
from typing import Any

import keras
import numpy as np

from dcgan import images
from dcgan.callbacks import _samples

_PARALLEL = 1e-6


def slerp(start: np.ndarray, end: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    r"""Interpolates along the great circle between vectors.

    With the angle \(\omega\) between the two,
    \(\frac{\sin((1 - t)\omega)}{\sin\omega} a + \frac{\sin(t\omega)}{\sin\omega} b\). Normal
    draws in many dimensions lie near a sphere, which a straight line would leave. Parallel, opposite and
    zero vectors have no single great circle and are interpolated linearly.

    Args:
        start: Shape [..., dim], float.
        end: Shape [..., dim], float.
        fractions: Shape (steps,), float; 0 gives `start` and 1 gives `end`.

    Returns:
        Shape [..., steps, dim], float64.

    Example:
        >>> slerp(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([0.0, 0.5, 1.0]))
        array([[1.        , 0.        ],
               [0.70710678, 0.70710678],
               [0.        , 1.        ]])

    Reference:
        White, "Sampling Generative Networks", 2016, https://arxiv.org/abs/1609.04468
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    fractions = np.asarray(fractions, np.float64)
    lengths = np.linalg.norm(start, axis=-1) * np.linalg.norm(end, axis=-1)
    cosines = np.sum(start * end, axis=-1) / np.where(lengths > 0, lengths, 1)
    angles = np.where(lengths > 0, np.arccos(np.clip(cosines, -1, 1)), 0)[..., None]
    sines = np.sin(angles)
    curved = sines > _PARALLEL
    divisors = np.where(curved, sines, 1)
    from_start = np.where(curved, np.sin((1 - fractions) * angles) / divisors, 1 - fractions)
    from_end = np.where(curved, np.sin(fractions * angles) / divisors, fractions)
    return from_start[..., None] * start[..., None, :] + from_end[..., None] * end[..., None, :]


class InterpolationStrip(keras.callbacks.Callback):
    """Saves walks between pairs of fixed latents after an epoch.

    Each row of `interpolation_001.png` goes from one sample to another by spherical interpolation. A
    generator that has learned the data changes smoothly along a row; one that has memorized or collapsed
    jumps or does not change. Epochs count from 1.

    Args:
        directory: Directory of the files; made if missing.
        rows: Pairs of latents. Defaults to 4.
        steps: Images from the first of a pair to the second, both included. Defaults to 10.
        seed: Seed of the latents. Defaults to 0.
        every: Epochs between two files. Defaults to 1.

    Raises:
        ValueError: If `rows` or `every` is not above zero, or `steps` is below 2.

    Example:
        >>> history = model.fit(dataset, epochs=50, callbacks=[InterpolationStrip("samples")])
        >>> pathlib.Path("samples/interpolation_001.png").is_file()
        True
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        rows: int = 4,
        steps: int = 10,
        seed: int = 0,
        every: int = 1,
    ) -> None:
        super().__init__()
        _samples.check_positive(rows=rows, every=every)
        if steps < 2:
            raise ValueError(f"Expected `steps` to be at least 2. Received: steps={steps}")
        self.directory = pathlib.Path(directory)
        self.rows = rows
        self.steps = steps
        self.seed = seed
        self.every = every

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves the walks of epoch `epoch + 1`, if they are due."""
        number = epoch + 1
        if number % self.every == 0:
            latents = self._latents()
            labels = None
            if getattr(self.model, "classes", 0):
                # A walk stays within a class.
                classes = np.resize(self.model.spread_labels(self.rows), self.rows)
                labels = np.repeat(classes, self.steps)
            samples = self.model.generate(len(latents), latents=latents, labels=labels)
            path = self.directory / f"interpolation_{number:03d}.png"
            images.save_png(path, _samples.sheet(samples, columns=self.steps))

    def _latents(self) -> np.ndarray:
        """Returns shape (rows * steps, latent_dim), float32, row after row."""
        ends = np.random.default_rng(self.seed).standard_normal((2, self.rows, self.model.latent_dim))
        walks = slerp(ends[0], ends[1], np.linspace(0, 1, self.steps))
        return walks.reshape(-1, self.model.latent_dim).astype(np.float32)
