"""Measures what a training spends beside its steps, and prints JSON.

    python benchmarks/overheads.py [--steps 60] [--rounds 5]

Three things, each in fresh processes, in turn, as medians: the time from the command to the end of the
first training step and what it goes to; the input pipeline's share of a step, when it runs alone; and
the price of TensorFlow's deterministic kernels, which `dcgan train` always switches on.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from typing import Any

import environment

PRESETS = ("article", "mnist")


def measure(preset: str, steps: int, *, deterministic: bool, started: float) -> dict[str, float]:
    """Does what `dcgan train` does, up to `steps` training steps, and looks at the clock between."""
    marks = {"start Python": time.time() - started}

    def mark(name: str) -> None:
        marks[name] = time.time() - started - sum(marks.values())

    from dcgan.cli.terminal import quiet

    quiet.silence_tensorflow()
    import keras
    import tensorflow as tf

    from dcgan import data, presets
    from dcgan.model import DCGAN

    mark("import TensorFlow and Keras")
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    config = presets.get(preset)
    keras.utils.set_random_seed(config.seed)
    images = data.load_images("mnist").images
    mark("load the images")
    model = DCGAN.from_preset(config)
    mark("build the networks")
    batch = config.training.batch_size
    dataset = data.batches(images, batch, repeat=True)

    class FirstStep(keras.callbacks.Callback):
        """Notes when the first step is done."""

        def on_train_batch_end(self, step: int, logs: dict[str, float] | None = None) -> None:
            mark("trace and run the first step")
            self.on_train_batch_end = lambda step, logs=None: None

    model.fit(dataset, steps_per_epoch=5, verbose=0, callbacks=[FirstStep()])
    total = sum(marks.values())
    return {**marks, "command to first step": total, **_measure_steps(model, dataset, steps)}


def _measure_steps(model: Any, dataset: Any, steps: int) -> dict[str, float]:
    """Returns the seconds of a training step, and those that its batch takes."""
    start = time.perf_counter()
    model.fit(dataset, steps_per_epoch=steps, verbose=0)
    step = (time.perf_counter() - start) / steps
    iterator = iter(dataset)
    next(iterator)
    start = time.perf_counter()
    for _ in range(steps):
        next(iterator)
    return {"step": step, "pipeline": (time.perf_counter() - start) / steps}


def run(preset: str, steps: int, *, deterministic: bool) -> dict[str, float]:
    """Measures in a fresh process."""
    command = [sys.executable, __file__, "--steps", str(steps), "--child", preset]
    command += ["--started", repr(time.time())] + ["--deterministic"] * deterministic
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.strip().splitlines()[-1])


def main() -> None:
    """Prints medians in seconds, shares and the machine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", choices=PRESETS, help="measure one preset in this process")
    parser.add_argument("--started", type=float, default=0.0)
    parser.add_argument("--deterministic", action="store_true")
    arguments = parser.parse_args()
    if arguments.child:
        deterministic, started = arguments.deterministic, arguments.started
        figures = measure(arguments.child, arguments.steps, deterministic=deterministic, started=started)
        print(json.dumps(figures))
        return
    summary = {}
    for preset in PRESETS:
        pairs = [
            (
                run(preset, arguments.steps, deterministic=True),
                run(preset, arguments.steps, deterministic=False),
            )
            for _ in range(arguments.rounds)
        ]
        seconds = {name: statistics.median(pair[0][name] for pair in pairs) for name in pairs[0][0]}
        summary[preset] = {
            "seconds": {name: round(value, 4) for name, value in seconds.items()},
            "pipeline_share_of_step": statistics.median(p[0]["pipeline"] / p[0]["step"] for p in pairs),
            "deterministic_step_times_default": statistics.median(
                p[0]["step"] / p[1]["step"] for p in pairs
            ),
        }
    command = f"overheads.py --steps {arguments.steps} --rounds {arguments.rounds}"
    result = {"command": command, "environment": environment.describe(), "summary": summary}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
