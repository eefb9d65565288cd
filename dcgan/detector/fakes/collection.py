"""Where the pool's fakes come from: the run's own generator, a zoo of GANs, rebuilt reals."""

from collections.abc import Callable, Iterator

import numpy as np

from dcgan.config import RunConfig
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.fakes import reconstructions, replay, zoo
from dcgan.detector.fakes.fake_pool import FakePool, Fakes
from dcgan.model import DCGAN
from dcgan.runs.run_directory import RunDirectory

# Shares of the pool: the strongest generator at hand first.
_OWN, _ZOO, _REBUILT = 0.7, 0.12, 0.18


def collect(
    run: RunDirectory,
    model: DCGAN,
    reals: np.ndarray,
    *,
    config: RunConfig,
    settings: DetectorConfig,
    on_step: Callable[[], None] = lambda: None,
) -> FakePool:
    """Makes a run's pool of fakes.

    Args:
        run: Whose checkpoints are replayed.
        model: The run's model.
        reals: What the generators learn from, shape (count, height, width, channels), uint8.
        config: The run's configuration.
        settings: The pool's size and the work that goes into it.
        on_step: Called after each training step of a generator. Defaults to nothing.

    Returns:
        The pool, of at most `settings.pool_size` fakes.
    """
    size = settings.pool_size
    parts = [
        *replay.replay(
            run,
            model,
            reals,
            config=config,
            count=int(size * _OWN),
            steps=settings.replay_steps,
            seed=settings.seed,
            on_step=on_step,
        )
    ]
    parts += _zoo(reals, config, settings, count=int(size * _ZOO), on_step=on_step)
    parts += _rebuilt(reals, settings, count=int(size * _REBUILT), on_step=on_step)
    return FakePool.join(parts)


def steps(settings: DetectorConfig) -> int:
    """Returns how often `collect` calls `on_step`."""
    zoo_steps = len(zoo.MEMBERS) * zoo.rounded(settings.zoo_steps)
    return replay.rounded(settings.replay_steps) + zoo_steps + settings.rebuild_steps


def _zoo(
    reals: np.ndarray,
    config: RunConfig,
    settings: DetectorConfig,
    *,
    count: int,
    on_step: Callable[[], None],
) -> Iterator[Fakes]:
    for index, member in enumerate(zoo.MEMBERS):
        drawn = zoo.draw(
            member,
            reals,
            count=count // len(zoo.MEMBERS),
            config=config,
            steps=settings.zoo_steps,
            seed=100 * settings.seed + index + 1,
            on_step=on_step,
        )
        yield Fakes(member.name, "gan", drawn)


def _rebuilt(
    reals: np.ndarray, settings: DetectorConfig, *, count: int, on_step: Callable[[], None]
) -> Iterator[Fakes]:
    rebuilders = reconstructions.REBUILDERS
    rebuilt = reconstructions.rebuild(
        rebuilders,
        reals,
        count=count // len(rebuilders),
        steps=settings.rebuild_steps,
        seed=settings.seed,
        on_step=on_step,
    )
    for rebuilder, built in rebuilt.items():
        yield Fakes(rebuilder.name, rebuilder.family, built)
