"""Fakes of the run's own generator: as it is, and as it was."""

import pathlib

import numpy as np

from dcgan import sampling
from dcgan.detector.fakes.fake_pool import Fakes
from dcgan.detector.inputs.run_inputs import RunInputs
from dcgan.runs import replay_files

NAME = "gan-own"
"""The name in the pool of the run's generator as it is."""

# Seeds that nobody draws test samples with.
_SEED = 2**30


def draw_own(inputs: RunInputs, *, count: int, seed: int) -> list[Fakes]:
    """Draws from a run's own generator, as it is and, at most a third, as it was.

    Args:
        inputs: What the run provides.
        count: How many fakes in all.
        seed: Seed of every draw.
    """
    earlier = _load_replay(inputs.replay, count // 3, seed=seed)
    drawn = sampling.draw(inputs.model, count - len(earlier), seed=_SEED + seed)
    fakes = [Fakes(NAME, "gan", drawn)]
    return [*fakes, Fakes("gan-own-earlier", "gan", earlier)] if len(earlier) else fakes


def _load_replay(directory: pathlib.Path, count: int, *, seed: int) -> np.ndarray:
    paths = replay_files.list_all(directory)
    kept = [np.load(path)["images"] for path in paths[len(paths) // 2 :]]
    images = np.concatenate(kept) if kept else np.empty(0, np.uint8)
    chosen = np.random.default_rng(seed).permutation(len(images))[:count]
    return images[np.sort(chosen)]
