"""Measures training and bulk scoring on one and on two workers, and prints JSON.

    python benchmarks/distributed.py training > benchmarks/results/distributed_training.json
    python benchmarks/distributed.py bulk --model VERSION > benchmarks/results/distributed_bulk.json

All workers are processes of this machine, talk over loopback and compute on one thread each. `training`
trains the preset `mnist` on a `tf.data.Dataset` by one worker, by two at the same global batch, and by
one on two threads; the arms take turns. `bulk` scores the same files by Beam's local runner and by
`docs/examples/score_on_dask.py` on one and on two workers, which keep running: the first round, in which
they load TensorFlow, does not count. Then it scores once more and kills a worker half way.
"""

import argparse
import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import environment

_ARMS = {
    "one worker": (1, 1),
    "two workers": (2, 1),
    "one worker on two threads": (1, 2),
}
_LOCAL = "local runner"
_SCRIPT = pathlib.Path(__file__).parents[1] / "docs" / "examples" / "score_on_dask.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("training", "bulk"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=8_000, help="Of an epoch, or to score.")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=64, help="Over all workers.")
    parser.add_argument("--model", help="The exported version that scores.")
    parser.add_argument("--files-a-part", type=int, default=800)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(train_as_worker(options)))
        return
    measure = measure_training if options.part == "training" else measure_bulk
    results = {
        "command": f"distributed.py {' '.join(sys.argv[1:])}".replace(str(options.model), "VERSION"),
        "environment": environment.describe("apache-beam"),
        **measure(options),
    }
    print(json.dumps(results, indent=1))


def measure_training(options: argparse.Namespace) -> dict[str, Any]:
    """Returns each arm's times of a step and losses, and the ratios within rounds."""
    rounds = []
    for number in range(options.rounds):
        arms = list(_ARMS) if number % 2 == 0 else list(reversed(_ARMS))
        rounds.append({arm: start_arm(options, *_ARMS[arm]) for arm in arms})
    seconds = {arm: [each[arm]["seconds_a_step"] for each in rounds] for arm in _ARMS}
    alone = seconds["one worker"]
    return {
        "steps_an_epoch": options.images // options.batch_size,
        "arms": {
            arm: {
                "milliseconds_a_step": round(1000 * statistics.median(values), 1),
                "times_one_worker": round(
                    statistics.median(one / own for one, own in zip(alone, values, strict=True)), 3
                ),
                "losses_by_epoch": rounds[0][arm]["losses"],
            }
            for arm, values in seconds.items()
        },
    }


def start_arm(options: argparse.Namespace, workers: int, threads: int) -> dict[str, Any]:
    """Trains on so many workers; returns what the first one says."""
    ports = free_ports(workers)
    addresses = [f"127.0.0.1:{port}" for port in ports]
    processes = []
    with tempfile.TemporaryDirectory() as folder:
        for index in range(workers):
            extra = {"TF_NUM_INTRAOP_THREADS": str(threads), "TF_NUM_INTEROP_THREADS": str(threads)}
            if workers > 1:
                task = {"type": "worker", "index": index}
                extra["TF_CONFIG"] = json.dumps({"cluster": {"worker": addresses}, "task": task})
            command = [sys.executable, __file__, *sys.argv[1:], "--child", f"{folder}/run"]
            environment_ = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **extra}
            processes.append(subprocess.Popen(command, env=environment_, stdout=subprocess.PIPE))
        answers = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError("A worker failed; see above.")
    return json.loads(answers[0].splitlines()[-1])


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def train_as_worker(options: argparse.Namespace) -> dict[str, Any]:
    """Trains as `TF_CONFIG` says; the first epoch, which traces, does not count for the time."""
    import keras
    import numpy as np
    import tensorflow as tf

    import dcgan
    from dcgan import data, distribution, presets

    epochs: list[dict[str, float]] = []
    ends: list[float] = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            # On several workers, logs have an axis more.
            losses = {name: float(np.mean(logs[name])) for name in ("g_loss", "d_loss")}
            epochs.append({name: round(value, 4) for name, value in losses.items()})

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            ends.append(time.perf_counter())

    name = "multiworker" if "TF_CONFIG" in os.environ else "one_device"
    strategy = distribution.make_strategy(name)
    config = presets.override(
        presets.get("mnist"),
        training={"epochs": options.epochs, "batch_size": options.batch_size},
    )
    images = data.load_images("mnist").images[: options.images]
    dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images), seed=1)
    dcgan.train(config, options.child, dataset=dataset, strategy=strategy, callbacks=[Watch()])
    steps = options.images // options.batch_size
    times = [end - start for start, end in zip(ends[steps:], ends[steps + 1 :], strict=False)]
    return {"seconds_a_step": statistics.median(times), "losses": epochs}


def measure_bulk(options: argparse.Namespace) -> dict[str, Any]:
    """Returns images a second of each arm, and what is left of the rows when a worker is killed."""
    os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        write_images(folder / "images", options.images)
        clusters = [stack.enter_context(cluster(folder / f"{count}.json", count)) for count in (1, 2)]
        addresses = dict(zip(("one worker", "two workers"), (each[0] for each in clusters), strict=True))
        speeds = _time_arms(options, folder, addresses)
        exit_code = _kill_a_worker(options, folder, *clusters[1])
        expected, killed = rows(folder / f"{_LOCAL}-0"), rows(folder / "killed")
        pairs = zip(speeds["one worker"], speeds["two workers"], strict=True)
        return {
            "images": options.images,
            "parts": _parts(options),
            "images_per_second": {arm: round(statistics.median(v)) for arm, v in speeds.items()},
            "two_workers_to_one": round(statistics.median(two / one for one, two in pairs), 3),
            "same_rows": {arm: rows(folder / f"{arm}-0") == expected for arm in speeds},
            "killed": {"exit_code": exit_code, "rows": len(killed), "same_rows": killed == expected},
        }


def _time_arms(
    options: argparse.Namespace, folder: pathlib.Path, addresses: dict[str, str]
) -> dict[str, list[float]]:
    """Returns images a second of each arm in each round but the first, which warms up."""
    from export import bulk

    speeds: dict[str, list[float]] = {arm: [] for arm in (_LOCAL, *addresses)}
    for number in range(options.rounds + 1):
        for arm in speeds:
            out = folder / f"{arm}-{number}"
            began = time.perf_counter()
            if arm == _LOCAL:
                bulk.score_bulk([f"{folder}/images/*"], options.model, str(out))
            else:
                score_on_dask(options, addresses[arm], folder / "images", out).wait()
            if number:
                speeds[arm].append(options.images / (time.perf_counter() - began))
    return speeds


def _kill_a_worker(
    options: argparse.Namespace,
    folder: pathlib.Path,
    address: str,
    workers: list[subprocess.Popen[bytes]],
) -> int:
    """Scores once more and kills a worker half way; returns the exit code."""
    process = score_on_dask(options, address, folder / "images", folder / "killed")
    while len(list((folder / "killed").glob("part-*"))) < _parts(options) // 2:
        time.sleep(0.01)
    workers[0].kill()
    return process.wait()


def _parts(options: argparse.Namespace) -> int:
    return -(-options.images // options.files_a_part)


def write_images(folder: pathlib.Path, count: int) -> None:
    import PIL.Image

    from dcgan import data

    folder.mkdir()
    images = data.load_images("mnist", split="test").images[..., 0]
    for number in range(count):
        PIL.Image.fromarray(images[number % len(images)]).save(folder / f"{number:06d}.png")


@contextlib.contextmanager
def cluster(file: pathlib.Path, count: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Starts a Dask scheduler and workers; yields the scheduler's address and the workers."""

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", str(file)]
        return subprocess.Popen(command, stdout=sys.stderr, stderr=subprocess.DEVNULL)

    local = ("--host", "127.0.0.1", "--no-dashboard")
    processes = [start("scheduler", "--port", "0", *local)]
    try:
        while not file.exists():
            time.sleep(0.05)
        processes += [start("worker", "--no-nanny", "--nthreads", "1", *local) for _ in range(count)]
        yield json.loads(file.read_text())["address"], processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def score_on_dask(
    options: argparse.Namespace, address: str, images: pathlib.Path, out: pathlib.Path
) -> subprocess.Popen[bytes]:
    arguments = [address, options.model, str(images), str(out), str(options.files_a_part)]
    return subprocess.Popen([sys.executable, str(_SCRIPT), *arguments], stdout=sys.stderr)


def rows(out: pathlib.Path) -> list[tuple[str, float, str]]:
    """Returns the rows of a directory of results or of parts, in order; doubles stay doubled."""
    files = [*out.glob("*.jsonl"), *out.glob("part-*/*.jsonl")]
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return sorted((row["file"], round(row["p_fake"], 4), row["decision"]) for row in found)


if __name__ == "__main__":
    main()
