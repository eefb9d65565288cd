"""Where the pool's fakes come from: the run's own generator, a zoo of GANs, rebuilt reals."""

import itertools

from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.fakes import continuations, own_generator, reconstructions, snapshots, zoo
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.fit_progress import FitProgress, Progress, ignore
from dcgan.detector.inputs.run_inputs import RunInputs

# Shares of the pool: the strongest generators at hand first.
_OWN, _CONTINUED, _ZOO, _REBUILT = 0.4, 0.3, 0.12, 0.18


def collect_fakes(inputs: RunInputs, config: DetectorConfig, *, progress: Progress = ignore) -> FakePool:
    """Makes a run's pool of fakes.

    Args:
        inputs: What the run provides.
        config: The pool's size and the steps that its generators train.
        progress: Called after each training step of a generator. Defaults to nothing.

    Returns:
        The pool, of at most `config.pool_size` fakes.
    """
    reals, size = inputs.reals.train, config.pool_size
    parts = len(continuations.CONTINUATIONS) + len(zoo.MEMBERS) + 1
    *callbacks, last = (FitProgress(progress, "fakes", part=part, parts=parts) for part in range(parts))
    own = own_generator.draw_own(inputs, count=int(size * _OWN), seed=config.seed)
    gans = itertools.chain(
        continuations.continue_own(inputs, config, count=int(size * _CONTINUED)),
        zoo.build_zoo(inputs, config, count=int(size * _ZOO)),
    )
    drawn = [
        snapshots.draw_while_training(gan, reals, labels=inputs.reals.train_labels, callback=callback)
        for gan, callback in zip(gans, callbacks, strict=True)
    ]
    rebuilt = reconstructions.rebuild(
        reals,
        count=int(size * _REBUILT),
        steps=config.rebuild_steps,
        seed=config.seed,
        callback=last,
    )
    return FakePool.join([*own, *drawn, *rebuilt])
