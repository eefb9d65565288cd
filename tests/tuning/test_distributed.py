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
from tuning import Budget, distributed

HERE = pathlib.Path(__file__).parent


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


@pytest.mark.slow
def test_a_worker_without_a_chief_says_so(search, fake, act_as, monkeypatch):
    monkeypatch.setattr(oracle_client, "TIMEOUT", 0.5)
    act_as("worker0")
    with pytest.raises(
        InputError, match=r"ORACLE_IP: expected a chief that answers at 127\.0\.0\.1:\d+ \("
    ):
        search()


def test_a_chief_that_died_within_a_call_is_asked_again(act_as):
    act_as("worker0")

    class Broken(grpc.RpcError):
        def __init__(self, code):
            self.code = lambda: code

    class Tuner:
        def search(self, verbose):
            if answer := answers.pop(0):
                raise answer

    answers = [Broken(grpc.StatusCode.UNAVAILABLE), None, Broken(grpc.StatusCode.INTERNAL)]
    distributed.work(Tuner())
    with pytest.raises(InputError, match=r"\(INTERNAL\)"):
        distributed.work(Tuner())
    assert not answers


@pytest.mark.slow
def test_a_chief_does_not_wait_for_dead_workers_beyond_its_time(search, fake, act_as, monkeypatch):
    monkeypatch.setattr(distributed, "_GRACE", 0.5)
    act_as("chief")
    start = time.monotonic()
    assert search(budget=Budget(minutes=0.01)).records == []
    assert time.monotonic() - start > 0.5


@pytest.fixture
def start(monkeypatch, act_as, tiny_space, noise_file, tmp_path):
    """Starts `dcgan tune`, with trials that cost nothing, as a chief or a worker."""
    path = [HERE / "workers_site", HERE, HERE.parent.parent]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, path)))
    monkeypatch.setenv("FAKE_SECONDS", "0.5")
    act_as("chief")
    (tmp_path / "space.json").write_text(json.dumps(tiny_space.to_dict()))
    options = ["--data", noise_file, "--preset", "article", "--features", "mnist", "--trials", "9"]
    options += ["--space", tmp_path / "space.json", "--out", tmp_path / "search"]
    started = []

    def start(name):
        process = subprocess.Popen(
            [sys.executable, "-m", "dcgan", "tune", *map(str, options)],
            env={**os.environ, "KERASTUNER_TUNER_ID": name},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


@pytest.mark.slow
def test_a_chief_that_is_killed_and_started_again_goes_on_with_its_worker(start, tmp_path):
    first, worker = start("chief"), start("worker0")
    while len(list((tmp_path / "search" / "trials").glob("[!.]*.json"))) < 3:
        assert first.poll() is None
        time.sleep(0.1)
    first.kill()
    last = start("chief")
    outputs = [process.communicate(timeout=300)[0] for process in (last, worker)]
    assert [process.returncode for process in (last, worker)] == [0, 0], outputs
    trained = fake_training.trained(tmp_path / "search")
    assert sorted(trained) == [f"{number:04}" for number in range(9)]


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("host", False)],
)
def test_what_counts_as_loopback(address, loopback):
    assert distributed._is_loopback(address) is loopback


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"KERASTUNER_ORACLE_IP": "127.0.0.1"}, "expected KERASTUNER_ORACLE_PORT and KERASTUNER_TUNER"),
        (
            {
                "KERASTUNER_ORACLE_IP": "0.0.0.0",
                "KERASTUNER_ORACLE_PORT": "1",
                "KERASTUNER_TUNER_ID": "chief",
            },
            "expected a loopback address such as 127.0.0.1, or --beyond-loopback",
        ),
    ],
)
def test_a_chief_listens_on_loopback_only_unless_told(search, monkeypatch, environment, message):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=message):
        search()
