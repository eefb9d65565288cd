"""Fakes of the run's own generator: as it ended, as it was, and as it would have gone on."""

from collections.abc import Callable, Iterator

import numpy as np

from dcgan import data, sampling
from dcgan.config import RunConfig
from dcgan.detector.fakes.fake_pool import Fakes
from dcgan.detector.fakes.snapshots import Snapshots
from dcgan.model import DCGAN
from dcgan.runs.run_directory import RunDirectory

# Seeds that nobody draws test samples with.
_SEED = 2**30
# Short enough for the average to follow a few hundred steps.
_EMA_DECAY = 0.98
_SNAPSHOTS = 4


def replay(
    run: RunDirectory,
    model: DCGAN,
    reals: np.ndarray,
    *,
    config: RunConfig,
    count: int,
    steps: int,
    seed: int = 0,
    on_step: Callable[[], None] = lambda: None,
) -> Iterator[Fakes]:
    """Draws from a run's own generator at several times.

    Args:
        run: Whose `replay/` holds samples of earlier epochs, if it does.
        model: The run's finished model; it is left as it is.
        reals: What it learned from, shape (count, height, width, channels), uint8.
        config: The run's configuration.
        count: How many fakes in all.
        steps: Training steps for which a copy goes on, at a constant rate.
        seed: Of the draws. Defaults to 0.
        on_step: Called after each step. Defaults to nothing.

    Yields:
        The fakes of each origin.
    """
    earlier = _earlier(run, count // 3, seed=seed)
    on = continued(
        model, reals, config=config, count=count // 3, steps=steps, seed=seed, on_step=on_step
    )
    drawn = sampling.draw(model, count - len(on) - len(earlier), seed=_SEED + seed)
    yield Fakes("gan-own", "gan", drawn)
    yield Fakes("gan-own-later", "gan", on)
    if len(earlier):
        yield Fakes("gan-own-earlier", "gan", earlier)


def continued(
    model: DCGAN,
    reals: np.ndarray,
    *,
    config: RunConfig,
    count: int,
    steps: int,
    seed: int,
    on_step: Callable[[], None],
) -> np.ndarray:
    """Lets a copy of a model train on and draws from it on the way.

    It wanders among generators as good as the run's own that leave other traces: what the same
    training with another seed would have ended at.

    Args:
        model: See `replay`.
        reals: See `replay`.
        config: See `replay`.
        count: How many fakes.
        steps: See `replay`.
        seed: See `replay`.
        on_step: See `replay`.

    Returns:
        Shape (count, height, width, channels), uint8.
    """
    copy = DCGAN.from_preset(config)
    copy.set_weights(model.get_weights())
    copy.ema_decay = min(copy.ema_decay, _EMA_DECAY)
    snapshots = Snapshots(count, first=0, epochs=_SNAPSHOTS, on_step=on_step, seed=_SEED + seed)
    copy.fit(
        data.batches(reals, config.training.batch_size, seed=_SEED + seed, repeat=True),
        steps_per_epoch=max(1, steps // _SNAPSHOTS),
        epochs=_SNAPSHOTS,
        callbacks=[snapshots],
        verbose=0,
        shuffle=False,
    )
    return np.concatenate(snapshots.drawn)


def rounded(steps: int) -> int:
    """Returns how many steps `replay` really takes."""
    return max(1, steps // _SNAPSHOTS) * _SNAPSHOTS


def _earlier(run: RunDirectory, count: int, *, seed: int) -> np.ndarray:
    """Samples that the run kept of earlier epochs, from the later half of them."""
    paths = sorted(run.replay.glob("epoch_*.npz"))
    paths = paths[len(paths) // 2 :]
    if not paths:
        return np.empty(0, np.uint8)
    kept = np.concatenate([np.load(path)["images"] for path in paths])
    chosen = np.random.default_rng(seed).permutation(len(kept))[:count]
    return kept[np.sort(chosen)]
