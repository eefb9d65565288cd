"""Fakes of the run's own generator: as it is, as it was, and as it would have gone on."""

import pathlib

import keras
import numpy as np

from dcgan import sampling
from dcgan.config import RunConfig
from dcgan.detector.fakes import snapshots
from dcgan.detector.fakes.fake_pool import Fakes
from dcgan.model import DCGAN

# Seeds that nobody draws test samples with.
_SEED = 2**30
# Short enough for the average to follow a few hundred steps.
_EMA_DECAY = 0.98


def draw_own(
    model: DCGAN,
    reals: np.ndarray,
    replay: pathlib.Path,
    *,
    config: RunConfig,
    count: int,
    steps: int,
    seed: int = 0,
    callback: keras.callbacks.Callback,
) -> list[Fakes]:
    """Draws from a run's own generator at several times.

    A copy of the model trains on at a constant rate. It wanders among generators as good as the run's
    own that leave other traces, such as the same training with another seed would have ended at.

    Args:
        model: The run's model. It is left unchanged.
        reals: What it learned from, shape (images, height, width, channels), uint8.
        replay: Where the callback `FakeReplay` kept samples of earlier epochs; those of the later half
            are used, if there are any.
        config: The run's configuration.
        count: How many fakes in all.
        steps: Training steps of the copy.
        seed: Seed of every draw. Defaults to 0.
        callback: Called by `fit`.

    Returns:
        The fakes of each time.
    """
    earlier = _load_replay(replay, count // 3, seed=seed)
    copy = DCGAN.from_preset(config)
    copy.set_weights(model.get_weights())
    copy.ema_decay = min(copy.ema_decay, _EMA_DECAY)
    later = snapshots.draw_while_training(
        copy,
        reals,
        count=count // 3,
        steps=steps,
        batch_size=config.training.batch_size,
        seed=_SEED + seed,
        latent_seed=_SEED + seed,
        callback=callback,
    )
    drawn = sampling.draw(model, count - len(later) - len(earlier), seed=_SEED + seed)
    fakes = [Fakes("gan-own", "gan", drawn), Fakes("gan-own-later", "gan", later)]
    return [*fakes, Fakes("gan-own-earlier", "gan", earlier)] if len(earlier) else fakes


def _load_replay(directory: pathlib.Path, count: int, *, seed: int) -> np.ndarray:
    paths = sorted(directory.glob("epoch_*.npz"))
    kept = [np.load(path)["images"] for path in paths[len(paths) // 2 :]]
    images = np.concatenate(kept) if kept else np.empty(0, np.uint8)
    chosen = np.random.default_rng(seed).permutation(len(images))[:count]
    return images[np.sort(chosen)]
