"""Two worker processes on loopback train one run, share its data, and go on after one was killed."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from dcgan import presets

SCRIPT = pathlib.Path(__file__).parent / "scripts" / "dataset_worker.py"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def start_workers(arguments):
    """Starts both; the text "{index}" in an argument stands for the worker's number."""
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    processes = []
    for index in range(2):
        task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(task)}
        processes.append(
            subprocess.Popen(
                [argument.replace("{index}", str(index)) for argument in arguments],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    return processes


def stop(processes):
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.fixture
def arguments(tmp_path):
    """The command of a small run in the directory `run`."""
    images = np.random.default_rng(0).integers(0, 256, (160, 28, 28, 1), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    config = presets.override(
        presets.get("mnist"),
        data=str(tmp_path / "images.npy"),
        split="all",
        strategy="multiworker",
        network={"generator_width": 8, "discriminator_width": 8, "latent_dim": 8},
        training={"epochs": 6, "batch_size": 32},
    )
    config.save(tmp_path / "config.json")
    command = [sys.executable, "-m", "dcgan", "train", "--config", str(tmp_path / "config.json")]
    return [*command, "--out", str(tmp_path / "run")]


def kill_after_two_epochs(processes, victim, out):
    deadline = time.monotonic() + 120
    while not (out / "samples" / "epoch_002.png").exists():
        assert time.monotonic() < deadline
        assert all(process.poll() is None for process in processes)
        time.sleep(0.01)
    stop(processes[victim : victim + 1])


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_two_workers_train_save_once_and_resume(tmp_path, arguments, victim):
    out = tmp_path / "run"
    processes = start_workers(arguments)
    try:
        kill_after_two_epochs(processes, victim, out)
        survivor = processes[1 - victim]
        output, _ = survivor.communicate(timeout=100)
    finally:
        stop(processes)
    assert survivor.returncode == 1
    assert output.splitlines()[-1].startswith("Another worker was lost. Run the same command")
    assert "Traceback" not in output
    assert not (out / "dcgan.keras").exists()
    processes = start_workers(arguments)
    try:
        outputs = [process.communicate(timeout=150)[0] for process in processes]
    finally:
        stop(processes)
    assert [process.returncode for process in processes] == [0, 0], outputs
    rows = (out / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", *"123456"]
    assert (out / "dcgan.keras").is_file()


@pytest.mark.slow
def test_each_worker_trains_on_its_own_part_of_a_dataset(tmp_path):
    seen = tmp_path / "seen-{index}"
    processes = start_workers([sys.executable, str(SCRIPT), str(tmp_path / "run"), str(seen)])
    try:
        outputs = [process.communicate(timeout=300)[0] for process in processes]
    finally:
        stop(processes)
    assert [process.returncode for process in processes] == [0, 0], outputs
    first, second = (
        [line.strip("[]").split() for line in (tmp_path / f"seen-{index}").read_text().splitlines()]
        for index in range(2)
    )
    # 64 images in batches of 16: four steps an epoch, of eight images on each worker.
    assert [len(step) for step in first] == [len(step) for step in second] == 8 * [8]
    epochs = [
        [number for worker in (first, second) for step in worker[start : start + 4] for number in step]
        for start in (0, 4)
    ]
    for numbers in epochs:
        assert sorted(map(int, numbers)) == list(range(64))
    assert epochs[0] != epochs[1]
    assert (tmp_path / "run" / "dcgan.keras").is_file()
