"""Where the pool's fakes come from: the run's own generator, a zoo of GANs, rebuilt reals."""

from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.fakes import own_generator, reconstructions, zoo
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.fit_progress import FitProgress, Progress, ignore
from dcgan.detector.run_inputs import RunInputs

# Shares of the pool: the strongest generator at hand first.
_OWN, _ZOO, _REBUILT = 0.7, 0.12, 0.18


def collect_fakes(inputs: RunInputs, config: DetectorConfig, *, progress: Progress = ignore) -> FakePool:
    """Makes a run's pool of fakes.

    Args:
        inputs: What the run provides.
        config: The pool's size and the steps that its generators train.
        progress: Called after each training step of a generator. Defaults to nothing.

    Returns:
        The pool, of at most `config.pool_size` fakes.
    """
    size, parts = config.pool_size, 1 + len(zoo.MEMBERS) + 1
    first, *middle, last = (
        FitProgress(progress, "fakes", part=part, parts=parts) for part in range(parts)
    )
    own = own_generator.draw_own(inputs, config, count=int(size * _OWN), callback=first)
    others = zoo.draw_zoo(inputs, config, count=int(size * _ZOO), callbacks=middle)
    rebuilt = reconstructions.rebuild(
        inputs.reals.train,
        count=int(size * _REBUILT),
        steps=config.rebuild_steps,
        seed=config.seed,
        callback=last,
    )
    return FakePool.join([*own, *others, *rebuilt])
