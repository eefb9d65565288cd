"""Fakes of the run's own generator: as it is, as it was, and as it would have gone on."""

import pathlib

import keras
import numpy as np

from dcgan import sampling
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.fakes import snapshots
from dcgan.detector.fakes.fake_pool import Fakes
from dcgan.detector.run_inputs import RunInputs
from dcgan.model import DCGAN

# Seeds that nobody draws test samples with.
_SEED = 2**30
# Short enough for the average to follow a few hundred steps.
_EMA_DECAY = 0.98


def draw_own(
    inputs: RunInputs, config: DetectorConfig, *, count: int, callback: keras.callbacks.Callback
) -> list[Fakes]:
    """Draws from a run's own generator at several times.

    A copy of the model trains on at a constant rate. It wanders among generators as good as the run's
    own that leave other traces, such as the same training with another seed would have ended at.

    Args:
        inputs: What the run provides; its model is left unchanged.
        config: The copy's training steps, and the seed of every draw.
        count: How many fakes in all.
        callback: Called by `fit`.

    Returns:
        The fakes of each time.
    """
    seed = _SEED + config.seed
    earlier = _load_replay(inputs.replay, count // 3, seed=config.seed)
    copy = DCGAN.from_preset(inputs.config)
    copy.set_weights(inputs.model.get_weights())
    copy.ema_decay = min(copy.ema_decay, _EMA_DECAY)
    later = snapshots.draw_while_training(
        copy,
        inputs.reals.train,
        count=count // 3,
        steps=config.replay_steps,
        batch_size=inputs.config.training.batch_size,
        seed=seed,
        latent_seed=seed,
        callback=callback,
    )
    drawn = sampling.draw(inputs.model, count - len(later) - len(earlier), seed=seed)
    fakes = [Fakes("gan-own", "gan", drawn), Fakes("gan-own-later", "gan", later)]
    return [*fakes, Fakes("gan-own-earlier", "gan", earlier)] if len(earlier) else fakes


def _load_replay(directory: pathlib.Path, count: int, *, seed: int) -> np.ndarray:
    paths = sorted(directory.glob("epoch_*.npz"))
    kept = [np.load(path)["images"] for path in paths[len(paths) // 2 :]]
    images = np.concatenate(kept) if kept else np.empty(0, np.uint8)
    chosen = np.random.default_rng(seed).permutation(len(images))[:count]
    return images[np.sort(chosen)]
