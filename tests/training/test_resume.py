"""A killed run, called again, ends as if it had not been killed."""

import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from dcgan import presets


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """The arguments of a small run with dropout, R1, a moving average and a schedule."""
    folder = tmp_path_factory.mktemp("resume")
    images = np.random.default_rng(0).integers(0, 256, (160, 28, 28, 1), dtype=np.uint8)
    np.savez(folder / "images.npz", images=images, labels=np.zeros(160, np.int64))
    config = presets.override(
        presets.get("mnist"),
        data=str(folder / "images.npz"),
        split="all",
        network={
            "generator_width": 8,
            "discriminator_width": 8,
            "latent_dim": 8,
            "dropout": 0.3,
            "discriminator_norm": "none",
        },
        training={"epochs": 6, "batch_size": 32, "r1_gamma": 0.1, "penalty_interval": 2},
    )
    config.save(folder / "config.json")
    return [sys.executable, "-m", "dcgan", "train", "--config", str(folder / "config.json")]


@pytest.fixture(scope="module")
def uninterrupted(command, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "uninterrupted"
    subprocess.run([*command, "--out", str(out)], check=True, capture_output=True, timeout=300)
    return out


def kill_when(arguments, sign):
    """Starts a run and kills it as soon as `sign` is true; returns whether it was."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not sign():
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def state_of(path):
    model = keras.models.load_model(path)
    optimizers = (model.generator_optimizer, model.discriminator_optimizer)
    variables = [*model.variables, *(v for optimizer in optimizers for v in optimizer.variables)]
    return [np.asarray(variable) for variable in variables]


def assert_same_run(first, second):
    for name in ("metrics.csv", "progress.gif"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    samples = sorted(path.name for path in (first / "samples").iterdir())
    assert samples == [f"epoch_{epoch:03d}.png" for epoch in range(1, 7)]
    for name in samples:
        assert (first / "samples" / name).read_bytes() == (second / "samples" / name).read_bytes()
    for one, other in zip(
        state_of(first / "dcgan.keras"), state_of(second / "dcgan.keras"), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_killed_twice_ends_bit_identical(command, uninterrupted, tmp_path):
    out = tmp_path / "killed"
    arguments = [*command, "--out", str(out)]
    checkpoints = out / "checkpoints"
    # While the second checkpoint is being written, then between two of them.
    assert kill_when(arguments, lambda: any(checkpoints.glob(".epoch_002.*.tmp.keras")))
    assert kill_when(arguments, lambda: (out / "samples" / "epoch_004.png").exists())
    subprocess.run(arguments, check=True, capture_output=True, timeout=300)
    assert_same_run(uninterrupted, out)
    kept = sorted(path.name for path in checkpoints.iterdir())
    assert kept == ["epoch_005.json", "epoch_005.keras", "epoch_006.json", "epoch_006.keras"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_killed_at_random_moments_ends_bit_identical(command, uninterrupted, tmp_path, seed):
    out = tmp_path / "killed"
    arguments = [*command, "--out", str(out)]
    moments = np.random.default_rng(seed).uniform(3, 12, 3)
    for moment in moments:
        end = time.monotonic() + moment
        kill_when(arguments, lambda end=end: time.monotonic() > end)
    subprocess.run(arguments, check=True, capture_output=True, timeout=300)
    assert_same_run(uninterrupted, out)
