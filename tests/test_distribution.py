"""The same training on one device and on two, in a process that has two."""

import json
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from dcgan import distribution
from dcgan.errors import InputError, WorkerLostError

SCRIPT = pathlib.Path(__file__).parent / "scripts" / "mirrored.py"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    out = tmp_path_factory.mktemp("mirrored") / "results.pickle"
    subprocess.run([sys.executable, str(SCRIPT), str(out)], check=True, capture_output=True, timeout=600)
    return pickle.loads(out.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize(("norm", "atol"), [("none", 1e-5), ("batch", 2e-3)])
def test_two_devices_train_to_the_weights_of_one(results, norm, atol):
    (one_logs, one), (two_logs, two) = results[norm, "one"], results[norm, "two"]
    for (single,), copies in zip(one, two, strict=True):
        np.testing.assert_allclose(single, copies[0], atol=atol)
        for copy in copies:
            np.testing.assert_array_equal(copies[0], copy)
    assert {len(copies) for copies in two} >= {2}
    for name, values in one_logs.items():
        np.testing.assert_allclose(values, two_logs[name], atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_a_replica_without_images_counts_for_nothing(results):
    (one_logs, one), (two_logs, two) = (results["none, uneven", name] for name in ("one", "two"))
    for (single,), copies in zip(one, two, strict=True):
        np.testing.assert_allclose(single, copies[0], atol=1e-5)
    for name, values in one_logs.items():
        np.testing.assert_allclose(values, two_logs[name], atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_two_devices_train_a_conditional_gan_to_the_weights_of_one(results):
    """A replica of the last batch has no image, and so no label."""
    (one_logs, one), (two_logs, two) = (results["none, classes", name] for name in ("one", "two"))
    for (single,), copies in zip(one, two, strict=True):
        for copy in copies:
            np.testing.assert_allclose(single, copy, atol=1e-5)
    # The images of each class that were trained on, in two epochs of 33.
    counts = 2 * np.bincount(np.arange(33) ** 2 % 3, minlength=3)
    assert any(np.array_equal(single, counts) for (single,) in one)
    for name, values in one_logs.items():
        np.testing.assert_allclose(values, two_logs[name], atol=1e-4, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [("batch, uneven", "two"), "uneven from the first"])
def test_uneven_batches_leave_batch_statistics_finite(results, kind):
    logs, variables = results[kind]
    assert np.isfinite(list(logs.values())).all()
    assert all(np.isfinite(copy).all() for copies in variables for copy in copies)


@pytest.mark.slow
def test_replicas_draw_different_noise(results):
    first, second = results["noise"]
    assert first.shape == second.shape
    assert not np.isclose(first, second).any()


@pytest.mark.slow
def test_augmentation_adapts_to_all_replicas(results):
    """The border is each replica's own, so that a few signs may differ."""
    one, two = results["ada", "one"], results["ada", "two"]
    for (single,), copies in zip(one, two, strict=True):
        np.testing.assert_array_equal(copies[0], copies[1])
        np.testing.assert_allclose(single, copies[0], rtol=0.15)
    assert two[-2][0] == pytest.approx(4 * 16 / 50_000)
    for (single,), copies in zip(one, results["ada, a replica without images"], strict=True):
        np.testing.assert_array_equal([single] * 2, copies)


@pytest.mark.slow
def test_augmentation_that_adapts_trains_on_replicas(results):
    logs, variables = results["ada, fitted"]
    assert all(np.isfinite(values).all() for values in logs.values())
    # Four steps of 16, 16, 16 and 1 images: up or down.
    assert abs(logs["augmentation_p"][0] - 0.5) == pytest.approx(49 / 50_000, rel=1e-3)
    for copies in variables:
        for copy in copies:
            np.testing.assert_array_equal(copies[0], copy)


TWO = {"worker": ["127.0.0.1:1111", "127.0.0.1:2222"]}
FIRST = {"type": "worker", "index": 0}


@pytest.mark.parametrize(
    "config",
    [
        None,
        "not JSON",
        [],
        {"cluster": TWO},
        {"cluster": TWO, "task": {"type": "chief", "index": 0}},
        {"cluster": TWO, "task": {"type": "worker", "index": 2}},
        {"cluster": TWO, "task": {"type": "worker", "index": -1}},
        {"cluster": TWO, "task": {"type": "worker", "index": "first"}},
        {"cluster": {"worker": ["127.0.0.1"]}, "task": FIRST},
        {"cluster": {"worker": ["127.0.0.1:99999"]}, "task": FIRST},
        {"cluster": {"worker": [1111]}, "task": FIRST},
    ],
)
def test_multiworker_without_a_cluster_says_what_is_missing(monkeypatch, config):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config if isinstance(config, str) else json.dumps(config))
    with pytest.raises(InputError, match="TF_CONFIG"):
        distribution.make_strategy("multiworker")


def test_unknown_strategy_is_refused():
    with pytest.raises(InputError, match="expected one of one_device, mirrored, multiworker"):
        distribution.make_strategy("tpu")


@pytest.fixture
def join(monkeypatch):
    """Asks for the strategy of a cluster, of which TensorFlow says what it is given to say."""

    def join(error):
        def refuse():
            raise error

        monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", refuse)
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": TWO, "task": FIRST}))
        distribution.make_strategy("multiworker")

    return join


def test_an_address_that_is_taken(join):
    with pytest.raises(InputError, match=r"address.* 127\.0\.0\.1:1111.*Could not start gRPC server"):
        join(tf.errors.UnknownError(None, None, "Could not start gRPC server"))


def test_a_worker_that_is_lost_before_all_have_met(join):
    with pytest.raises(WorkerLostError, match="Another worker was lost"):
        join(tf.errors.UnavailableError(None, None, "connection reset"))


def test_a_strategy_that_comes_too_late(join):
    with pytest.raises(InputError, match=r"strategy: expected before .* a dataset; .* program startup"):
        join(RuntimeError("Collective ops must be configured at program startup"))


def test_only_a_cluster_loses_workers():
    error = tf.errors.UnavailableError(None, None, "a file system that is not there")
    with (
        pytest.raises(tf.errors.UnavailableError),
        distribution.naming_lost_workers(tf.distribute.get_strategy()),
    ):
        raise error
