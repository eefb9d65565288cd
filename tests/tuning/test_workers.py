import os
import pathlib
import socket

import fake_training
import pytest

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
