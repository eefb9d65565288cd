import logging
import os
import sys
import time

import numpy as np
import pytest

from dcgan import cli
from dcgan.cli.terminal import progress, quiet

# Else pytest shows its start-up lines after the summary.
with quiet.hide_log_lines():
    import tensorflow as tf

import keras
from tensorflow.python.eager import context
from tensorflow.python.framework import config as tf_config

from dcgan.config import NetworkConfig
from dcgan.features import learned
from dcgan.model import DCGAN


def pytest_runtest_setup(item):
    """Skips slow tests that begin after the time that `.ci/run` allows."""
    end = float(os.environ.get("TESTS_END_AT", "inf"))
    if item.get_closest_marker("slow") and time.time() > end:
        pytest.skip("no time left")


def pytest_collection_modifyitems(items):
    """Skips bfloat16 where oneDNN is told to know less than the CPU, at which TensorFlow crashes."""
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in {"SSE41", "AVX", "AVX2", "AVX2_VNNI"}:
        for item in items:
            if "bfloat16" in item.nodeid or "mixed_bfloat16" in item.function.__code__.co_consts:
                item.add_marker(pytest.mark.skip(reason="oneDNN's bfloat16 needs AVX-512"))


@pytest.fixture(autouse=True)
def _fresh_keras(monkeypatch):
    with monkeypatch.context() as patch:
        # Else functions that fixtures made for many tests would be optimized anew in each.
        patch.setattr(context.pywrap_tfe, "TFE_ContextClearCaches", lambda handle: None)
        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True, scope="session")
def _nothing_learned():
    """Keeps runs from learning features, which takes seconds; tests of that want less images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learned, "FEWEST", 10**9)
        yield


@pytest.fixture
def deterministic():
    """Runs every TensorFlow kernel deterministically while the test lasts."""
    tf.config.experimental.enable_op_determinism()
    yield
    tf_config.disable_op_determinism()


@pytest.fixture
def run_cli(monkeypatch, capsys, tmp_path):
    """Runs a command in this process, from an empty directory; returns code, output, errors."""
    monkeypatch.delenv("TF_CONFIG", raising=False)
    # Else a slow machine would find lines of progress among the errors.
    monkeypatch.setattr(progress, "MINUTE", 3600.0)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["dcgan", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        output = capsys.readouterr()
        return exit_.value.code, output.out, output.err

    level = logging.getLogger().level
    yield run
    # Bulk scoring quiets the whole process.
    logging.getLogger().setLevel(level)


@pytest.fixture(scope="session")
def tiny_network():
    """The smallest networks of this package's own kind."""
    return NetworkConfig(
        latent_dim=8, generator_width=8, discriminator_width=8, max_width=8, kernel_size=3
    )


@pytest.fixture(scope="session")
def make_images():
    """Makes images of shape (count, size, size, channels), float32 in -1 to 1."""

    def make(count=8, *, size=8, channels=1, seed=0):
        rng = np.random.default_rng(seed)
        return rng.uniform(-1, 1, (count, size, size, channels)).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def make_gan():
    """Makes a DCGAN of two small networks on 8-pixel images, with batch norm and dropout."""

    def make(cls=DCGAN, *, dropout=0.0, norm=True, precision="float32", **options):
        init = keras.initializers.GlorotUniform
        generator = [
            keras.Input((4,)),
            keras.layers.Dense(16, kernel_initializer=init(1), dtype=precision),
            *([keras.layers.BatchNormalization(dtype=precision)] if norm else []),
            keras.layers.LeakyReLU(0.2, dtype=precision),
            keras.layers.Dense(64, kernel_initializer=init(2), dtype=precision),
            keras.layers.Reshape((8, 8, 1), dtype=precision),
            keras.layers.Activation("tanh", dtype="float32"),
        ]
        discriminator = [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, strides=2, kernel_initializer=init(3), dtype=precision),
            keras.layers.LeakyReLU(0.2, dtype=precision),
            keras.layers.Dropout(dropout, seed=4, dtype=precision),
            keras.layers.Flatten(dtype=precision),
            keras.layers.Dense(1, kernel_initializer=init(5), dtype="float32"),
        ]
        return cls(keras.Sequential(generator), keras.Sequential(discriminator), **options)

    return make


@pytest.fixture(scope="session")
def normal_features():
    """Two sets of correlated normal features, shapes (300, 16) and (250, 16)."""
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(16, 16))
    real = rng.normal(size=(300, 16)) @ mix / 4
    fake = rng.normal(size=(250, 16)) @ mix / 5 + 0.3
    return real, fake


@pytest.fixture(scope="session")
def class_probabilities():
    """Probabilities of 10 classes for 250 images, uneven over classes."""
    rng = np.random.default_rng(1)
    probabilities = np.exp(2 * rng.normal(size=(250, 10)) + np.linspace(0, 2, 10))
    return probabilities / probabilities.sum(axis=1, keepdims=True)
