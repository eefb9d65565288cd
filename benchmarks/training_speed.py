"""Compares training speed with the article's program and with PyTorch, in turn, and prints JSON.

    python benchmarks/training_speed.py PEERS [--steps 20] [--rounds 5]

`PEERS` is a folder with `seed_dcgan.py` and `torch_dcgan.py`, each of which prints a JSON line with
`images_per_second`. Every program runs in a process of its own, one after another, round by round, and
ratios are taken within a round; the medians count.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import environment

OURS = {"dcgan float32": "float32", "dcgan mixed_bfloat16": "mixed_bfloat16"}


def measure_ours(precision: str, steps: int) -> float:
    """Trains the article's preset through `model.fit` and its default callbacks; images a second."""
    import keras

    from dcgan import callbacks, data, presets
    from dcgan.model import DCGAN

    config = presets.override(presets.get("article"), precision=precision)
    model = DCGAN.from_preset(config)
    batch = config.training.batch_size
    dataset = data.batches(data.load_images("mnist").images, batch, repeat=True)
    model.fit(dataset, steps_per_epoch=1, verbose=0)

    class Clock(keras.callbacks.Callback):
        """Times the steps alone, as the peers do."""

        def on_train_batch_end(self, step: int, logs: dict[str, float] | None = None) -> None:
            self.end = time.perf_counter()

        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.start = time.perf_counter()

    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        writers = [callbacks.TrainingGuard(), callbacks.ImageGrid(folder)]
        writers.append(callbacks.MetricsLog(f"{folder}/metrics.csv"))
        model.fit(dataset, steps_per_epoch=steps, verbose=0, callbacks=[clock, *writers])
    return batch * steps / (clock.end - clock.start)


def run(command: list[str]) -> dict[str, float]:
    """Runs a program and reads its last line; adds its peak memory in MB."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command[1]} failed")
    speed = json.loads(output.strip().splitlines()[-1])["images_per_second"]
    return {"images_per_second": speed, "peak_mb": round(usage.ru_maxrss / 1024)}


def main() -> None:
    """Prints medians, ratios to the article's program and the machine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("peers", type=pathlib.Path, nargs="?")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ours", help="measure one precision in this process")
    arguments = parser.parse_args()
    if arguments.ours:
        print(json.dumps({"images_per_second": measure_ours(arguments.ours, arguments.steps)}))
        return
    size = ["--steps", str(arguments.steps)]
    commands = {
        "article": [sys.executable, str(arguments.peers / "seed_dcgan.py"), "--epochs", "1", *size],
        "torch": [sys.executable, str(arguments.peers / "torch_dcgan.py"), "--epochs", "1", *size],
    }
    commands |= {
        name: [sys.executable, __file__, "--ours", precision, *size] for name, precision in OURS.items()
    }
    rounds: list[dict[str, dict[str, float]]] = []
    for _ in range(arguments.rounds):
        rounds.append({name: run(command) for name, command in commands.items()})
    summary = {
        name: {
            "images_per_second": statistics.median(r[name]["images_per_second"] for r in rounds),
            "times_article": statistics.median(
                r[name]["images_per_second"] / r["article"]["images_per_second"] for r in rounds
            ),
            "peak_mb": statistics.median(r[name]["peak_mb"] for r in rounds),
        }
        for name in commands
    }
    command = f"training_speed.py PEERS --steps {arguments.steps} --rounds {arguments.rounds}"
    result = {"command": command, "environment": environment.describe("torch"), "summary": summary}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
