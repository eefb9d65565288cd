"""What share of the machine's best matrix product each preset's training step reaches; prints JSON.

    python benchmarks/step_cost.py [--presets mnist rgb32 rgb64] [--steps 32] [--rounds 5]

The floating-point operations of a step are those of its convolutions and matrix products, forwards and
backwards, counted by TensorFlow's profiler in the step's own graph; of the lazy penalty a share of
1 / interval counts. The machine's rate is that of a product of two float32 matrices of 2,048, measured
in the same round. `share` is the time that the operations would take at that rate over the time that a
step takes; medians count.
"""

import argparse
import json
import statistics
import time
from typing import Any

import environment
import numpy as np
import tensorflow as tf
from tensorflow.python.profiler.model_analyzer import profile
from tensorflow.python.profiler.option_builder import ProfileOptionBuilder

import dcgan
from dcgan import presets

SIDE = 2048


class Step:
    """A preset's training step on one batch of noise."""

    def __init__(self, preset: str) -> None:
        config = presets.get(preset)
        network, self.batch = config.network, config.training.batch_size
        self.model = dcgan.DCGAN.from_preset(config)
        shape = (self.batch, network.image_size, network.image_size, network.channels)
        self._images = tf.constant(np.random.default_rng(0).uniform(-1, 1, shape), tf.float32)
        self._run = tf.function(self.model.train_step, autograph=False)
        self._run(self._images)

    def seconds(self, steps: int) -> float:
        """Returns the mean time of a step; `steps` must be whole penalty intervals."""
        start = time.perf_counter()
        for _ in range(steps):
            logs = self._run(self._images)
        float(logs["d_loss"])
        return (time.perf_counter() - start) / steps

    def operations(self) -> float:
        """Returns the floating-point operations of a mean step."""
        gammas = self.model.r1_gamma, self.model.r2_gamma
        interval = self.model.penalty_interval
        with_penalty = self._count()
        self.model.r1_gamma = self.model.r2_gamma = 0.0
        without = self._count()
        self.model.r1_gamma, self.model.r2_gamma = gammas
        return without + (with_penalty - without) / interval

    def _count(self) -> float:
        options = ProfileOptionBuilder.float_operation()
        options["output"] = "none"
        step = tf.function(self.model.train_step, autograph=False)
        graph = step.get_concrete_function(self._images).graph
        return float(profile(graph, options=options).total_float_ops)


def product_rate(repeats: int = 8) -> float:
    """Returns the floating-point operations a second of a large matrix product."""
    matrix = tf.random.stateless_uniform((SIDE, SIDE), [1, 2])
    tf.matmul(matrix, matrix)
    start = time.perf_counter()
    for _ in range(repeats):
        product = tf.matmul(matrix, matrix)
    float(product[0, 0])
    return 2.0 * SIDE**3 * repeats / (time.perf_counter() - start)


def measure(preset: str, steps: int, rounds: int) -> dict[str, Any]:
    """Returns a preset's figures."""
    step = Step(preset)
    operations = step.operations()
    times, rates = [], []
    for _ in range(rounds):
        rates.append(product_rate())
        times.append(step.seconds(steps))
    shares = [operations / rate / seconds for rate, seconds in zip(rates, times, strict=True)]
    return {
        "steps_per_second": round(1 / statistics.median(times), 2),
        "images_per_second": round(step.batch / statistics.median(times)),
        "gflop_per_step": round(operations / 1e9, 2),
        "product_gflop_per_second": round(statistics.median(rates) / 1e9),
        "share": round(statistics.median(shares), 3),
    }


def main() -> None:
    """Measures every preset."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presets", nargs="+", default=["mnist", "rgb32", "rgb64"])
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    results = {
        preset: measure(preset, arguments.steps, arguments.rounds) for preset in arguments.presets
    }
    print(json.dumps({"environment": environment.describe(), "presets": results}, indent=1))


if __name__ == "__main__":
    main()
