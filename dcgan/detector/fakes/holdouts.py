"""Fakes of the holdout generators, the quick and the hard kinds; drawn once a run and kept in it.

Neither a pool nor the objective of a search has fakes of these generators.
"""

import pathlib
import zipfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from dcgan import data, presets, sampling
from dcgan.config import RunConfig
from dcgan.data.indexed_images import Images
from dcgan.detector.fakes import diffusion, holdout_generators
from dcgan.detector.fit_progress import FitProgress, Progress, ignore
from dcgan.model import DCGAN
from dcgan.system import files

# The pool's own generators start from the detector's seed.
_SEED = 424_242
# Training steps in shares of the detector's, so that all take about a quarter of the time of the fit.
_GAN, _DIFFUSION, _VAE = 1 / 12, 1 / 8, 1 / 8
_DIFFUSION_WIDTH, _DIFFUSION_BATCH, _DIFFUSION_DRAWING = 12, 32, 25
# The average is to follow a few hundred steps.
_EMA_DECAY = 0.98
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile)

_Draw = Callable[[RunConfig, Images, int, int, keras.callbacks.Callback], np.ndarray]


def draw_holdouts(
    config: RunConfig,
    reals: Images,
    *,
    count: int,
    steps: int,
    directory: pathlib.Path,
    progress: Progress = ignore,
) -> dict[str, np.ndarray]:
    """Draws from each holdout generator, or reads what it drew before.

    Args:
        config: The run's configuration: one generator is its GAN, trained anew under another seed for
            as many steps as there is time for.
        reals: Shape (images, height, width, channels), uint8.
        count: How many fakes of each.
        steps: Training steps of the detector; the generators train in proportion.
        directory: Where the fakes are kept, a `.npz` file a generator.
        progress: Called after each training step. Defaults to nothing.

    Returns:
        Fakes by generator, shape (count, height, width, channels), uint8.
    """
    made_from = np.array([count, steps, len(reals), _SEED])
    fakes = {}
    for part, (name, draw) in enumerate(_DRAWS.items()):
        path = directory / f"{name.lower().replace(', ', '_').replace(' ', '_')}.npz"
        images = _read(path, made_from)
        if images is None:
            callback = FitProgress(progress, "holdout fakes", part=part, parts=len(_DRAWS))
            images = draw(config, reals, count, steps, callback)
            with files.write_atomically(path) as temporary:
                np.savez_compressed(temporary, images=images, made_from=made_from)
        fakes[name] = images
    return fakes


def _read(path: pathlib.Path, made_from: np.ndarray) -> np.ndarray | None:
    """Returns kept fakes; None if there are none, or others than would be drawn now."""
    try:
        with np.load(path, allow_pickle=False) as content:
            return content["images"] if np.array_equal(content["made_from"], made_from) else None
    except _UNREADABLE:
        return None


def _scale(steps: int, share: float) -> int:
    return max(1, round(steps * share))


def _draw_gan(
    config: RunConfig, reals: Images, count: int, steps: int, callback: keras.callbacks.Callback
) -> np.ndarray:
    """Trains the run's own GAN without classes under another seed, as far as a short schedule leads."""
    steps = _scale(steps, _GAN)
    unconditional = presets.override(config, network={"classes": 0}, seed=_SEED)
    model = DCGAN.from_preset(unconditional, total_steps=steps)
    model.ema_decay = min(model.ema_decay, _EMA_DECAY)
    model.fit(
        data.batches(reals, config.training.batch_size, seed=_SEED, repeat=True),
        steps_per_epoch=steps,
        callbacks=[callback],
        verbose=0,
        shuffle=False,
    )
    return sampling.draw(model, count, seed=_SEED)


def _draw_diffusion(
    config: RunConfig, reals: Images, count: int, steps: int, callback: keras.callbacks.Callback
) -> np.ndarray:
    return diffusion.draw(
        reals,
        count=count,
        steps=_scale(steps, _DIFFUSION),
        width=_DIFFUSION_WIDTH,
        batch_size=_DIFFUSION_BATCH,
        drawing_steps=_DIFFUSION_DRAWING,
        seed=_SEED,
        callbacks=[callback],
    )


def _draw_vae(
    config: RunConfig, reals: Images, count: int, steps: int, callback: keras.callbacks.Callback
) -> np.ndarray:
    return holdout_generators.variational_autoencoder(
        reals, count=count, steps=_scale(steps, _VAE), seed=_SEED, callbacks=[callback]
    )


def _draw_mixture(config: RunConfig, reals: Images, count: int, *_: Any) -> np.ndarray:
    return holdout_generators.pca_mixture(reals, count=count, seed=_SEED)


_DRAWS: dict[str, _Draw] = {
    "GAN, other seed": _draw_gan,
    "diffusion": _draw_diffusion,
    "VAE": _draw_vae,
    "PCA mixture": _draw_mixture,
}
