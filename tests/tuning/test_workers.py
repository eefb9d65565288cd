import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import fake_training
import grpc
import pytest
from keras_tuner.src.distribute import oracle_client

from dcgan.errors import InputError
from tuning import Budget, chief

HERE = pathlib.Path(__file__).parent


@pytest.fixture
def workers(monkeypatch, fake):
    """Takes the cost from the trials of workers as well."""
    path = [HERE / "workers_site", HERE, HERE.parent.parent]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, path)))


def test_a_worker_killed_within_a_trial_loses_only_that(search, workers, monkeypatch, tmp_path):
    """Two workers; one is killed by SIGKILL within its trial, which is then done all the same."""
    fuse = tmp_path / "fuse"
    fuse.write_text("0004")
    monkeypatch.setenv("FAKE_FUSE", str(fuse))
    monkeypatch.setenv("FAKE_SECONDS", "0.2")
    addresses = []
    monkeypatch.setattr(chief, "_renew", _recording(chief._renew, addresses))
    result = search(workers=2, budget=Budget(trials=12))
    assert not fuse.exists()
    assert [record.status for record in result.records] == ["done"] * 12
    trained = fake_training.trained(tmp_path / "search")
    assert sorted(trained) == sorted([*(record.trial for record in result.records), "0004"])
    assert {record.worker for record in result.records} == {"worker0", "worker1"}
    # Rungs follow one another as in one process.
    by_trial = {record.trial: record for record in result.records}
    later = [record for record in result.records if record.parent]
    assert later
    assert all(record.first_epoch == by_trial[record.parent].epochs for record in later)
    assert set(addresses) == {"127.0.0.1"}
    assert "KERASTUNER_ORACLE_IP" not in os.environ


def _recording(function, addresses):
    def wrapped(*args):
        addresses.append(os.environ["KERASTUNER_ORACLE_IP"])
        return function(*args)

    return wrapped


def test_workers_that_always_break_down_are_named(search, workers, monkeypatch, tmp_path):
    monkeypatch.setattr(chief.sys, "executable", "/bin/false")
    with pytest.raises(InputError, match=r"worker0\.log: expected workers that do not break down"):
        search(workers=2, budget=Budget(trials=2))


def test_an_address_that_cannot_be_had_is_named(search, fake, monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
        monkeypatch.setenv("KERASTUNER_ORACLE_PORT", str(other.getsockname()[1]))
        monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
        with pytest.raises(InputError, match="KERASTUNER_ORACLE_IP: expected an address to listen at"):
            search()


@pytest.fixture
def act_as(monkeypatch):
    """Makes this process what KerasTuner's environment variables say, at a free port."""

    def act(name):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            monkeypatch.setenv("KERASTUNER_ORACLE_PORT", str(probe.getsockname()[1]))
        monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
        monkeypatch.setenv("KERASTUNER_TUNER_ID", name)

    return act


def test_a_worker_without_a_chief_says_so(search, fake, act_as, monkeypatch):
    monkeypatch.setattr(oracle_client, "TIMEOUT", 0.5)
    act_as("worker0")
    with pytest.raises(
        InputError, match=r"ORACLE_IP: expected a chief that answers at 127\.0\.0\.1:\d+ \("
    ):
        search()


def test_a_chief_that_died_within_a_call_is_asked_again():
    class Broken(grpc.RpcError):
        def __init__(self, code):
            self.code = lambda: code

    class Tuner:
        def search(self, verbose):
            if answer := answers.pop(0):
                raise answer

    answers = [Broken(grpc.StatusCode.UNAVAILABLE), None, Broken(grpc.StatusCode.INTERNAL)]
    chief.work(Tuner())
    with pytest.raises(Broken):
        chief.work(Tuner())
    assert not answers


def test_a_chief_does_not_wait_for_dead_workers_beyond_its_time(search, fake, act_as, monkeypatch):
    monkeypatch.setattr(chief, "_GRACE", 0.5)
    act_as("chief")
    start = time.monotonic()
    assert search(budget=Budget(minutes=0.01)).records == []
    assert time.monotonic() - start > 0.5


@pytest.mark.slow
def test_chief_and_workers_by_environment_variables(workers, act_as, monkeypatch, noise_file, tmp_path):
    """A chief and two workers by the command line; the chief is killed and started again."""
    space = {
        "latent_dim": 4,
        "generator_width": 2,
        "discriminator_width": 2,
        "kernel_size": 3,
        "batch_size": [8, 16],
    }
    (tmp_path / "space.json").write_text(json.dumps(space))
    # Long enough for both workers to be back before one has done all the rest.
    monkeypatch.setenv("FAKE_SECONDS", "1.5")

    started = []

    def start(name):
        environment = {**os.environ, "KERASTUNER_TUNER_ID": name}
        options = ["--data", noise_file, "--preset", "article", "--features", "mnist", "--trials", "16"]
        options += ["--space", tmp_path / "space.json", "--out", tmp_path / "search"]
        command = [sys.executable, "-m", "dcgan", "tune", *map(str, options)]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    act_as("chief")
    first = start("chief")
    crew = [start("worker0"), start("worker1")]
    records = tmp_path / "search" / "trials"
    try:
        while len(list(records.glob("[!.]*.json"))) < 4:
            assert first.poll() is None
            time.sleep(0.1)
        first.kill()
        first.communicate()
        last = start("chief")
        outputs = [process.communicate(timeout=300)[0] for process in [last, *crew]]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in [last, *crew]] == [0, 0, 0], outputs
    trained = fake_training.trained(tmp_path / "search")
    assert sorted(trained) == [f"{number:04}" for number in range(16)]


def test_workers_are_counted(search, monkeypatch):
    with pytest.raises(InputError, match=r"workers: expected at least 1\. Received: 0"):
        search(workers=0)
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", "1")
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
    with pytest.raises(InputError, match="workers: expected 1 where"):
        search(workers=2)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("host", False)],
)
def test_what_counts_as_loopback(address, loopback):
    assert chief._is_loopback(address) is loopback
