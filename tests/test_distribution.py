"""The same training on one device and on two; each strategy in a process of its own."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from dcgan import distribution
from dcgan.errors import InputError

SCRIPT = pathlib.Path(__file__).parent / "scripts" / "mirrored.py"


def train(replicas, kind, folder):
    out = folder / f"{kind}_{replicas}.npz"
    result = subprocess.run(
        [sys.executable, str(SCRIPT), str(replicas), kind, str(out)],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    with np.load(out) as arrays:
        values = [arrays[name] for name in arrays.files]
    return values, json.loads(result.stdout.strip().splitlines()[-1]) if result.stdout else None


@pytest.mark.parametrize("kind", ["plain", "batch_norm"])
def test_two_devices_train_to_the_weights_of_one(tmp_path, kind):
    one, one_report = train(1, kind, tmp_path)
    two, two_report = train(2, kind, tmp_path)
    assert two_report["replicas_agree"]
    for first, second in zip(one, two, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5 if kind == "plain" else 1e-3)
    for name, values in one_report["history"].items():
        np.testing.assert_allclose(values, two_report["history"][name], atol=1e-4, err_msg=name)


def test_replicas_draw_different_noise(tmp_path):
    (first, second), _ = train(2, "noise", tmp_path)
    assert first.shape == second.shape
    assert not np.isclose(first, second).any()


def test_multiworker_without_a_cluster_says_what_is_missing(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(InputError, match="TF_CONFIG"):
        distribution.make_strategy("multiworker")


def test_unknown_strategy_is_refused():
    with pytest.raises(InputError, match="expected one of one_device, mirrored, multiworker"):
        distribution.make_strategy("tpu")
