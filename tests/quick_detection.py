"""Detection in seconds: arithmetic in place of generators, short trainings, few deliveries."""

import contextlib

import pytest
import tensorflow as tf

from dcgan.detector import certificate, run_fitting
from dcgan.detector.delivery import named_deliveries
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.evaluation import run_evaluation
from dcgan.detector.fakes import fake_collection, holdouts
from dcgan.detector.fakes.fake_pool import FakePool, Fakes

_DRAWS = {
    "VAE": lambda config, reals, *_: reals[:20] // 3,
    "GAN, other seed": lambda config, reals, *_: reals[:20] // 2,
}


@contextlib.contextmanager
def replaced(*certified, others=(), holdout_generators=(*_DRAWS,), **config):
    """Fits and evaluates quickly while the block runs.

    Args:
        *certified: The deliveries that the certificate holds for, and that are evaluated.
        others: More deliveries that are evaluated.
        holdout_generators: Names of what draws the fakes that the detector has not learned from.
        **config: Fields of `DetectorConfig`, in place of steps of 1 and batches of 8.
    """

    class Short(DetectorConfig):
        @classmethod
        def for_run(cls, run_config, **values):
            del values["images"]
            short = {"steps": 1, "fold_steps": 1, "familiarity_steps": 1, "batch_size": 8}
            return DetectorConfig(**{**short, **config, **values})

    eager = tf.config.functions_run_eagerly()
    with pytest.MonkeyPatch.context() as patch:
        # To trace the few steps of each training takes longer than they do.
        tf.config.run_functions_eagerly(True)
        patch.setattr(fake_collection, "collect_fakes", _collect)
        patch.setattr(run_fitting, "DetectorConfig", Short)
        patch.setattr(holdouts, "_DRAWS", {name: _DRAWS[name] for name in holdout_generators})
        patch.setattr(run_evaluation, "_REALS", 40 / DetectorConfig.pool_size)
        for name in set(named_deliveries.NAMED) - {*certified, *others}:
            patch.delitem(named_deliveries.NAMED, name)
        patch.setattr(certificate, "CERTIFIED", certified)
        yield
    tf.config.run_functions_eagerly(eager)


def _collect(inputs, config, *, progress):
    progress("fakes", 1.0)
    reals = inputs.reals.train
    autoencoder = Fakes("autoencoder-x", "autoencoder", reals[60:120] // 4 * 4)
    return FakePool.join([Fakes("gan-own", "gan", reals[:60] // 2), autoencoder])
