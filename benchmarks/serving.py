"""Measures an exported detector against its Keras model, prints a table and writes JSON.

    python benchmarks/serving.py RUN [--rounds 9] [--minutes 10] [--bulk 20000] [--json FILE]

Everything runs through the loaded SavedModel in this process, on all cores. For each form of input,
it measures the latency of one image and images per second in batches, beside the Keras model's own
`predict_on_batch`; then the time to load, the size on disk, memory while PNG batches are scored for
minutes, and Beam's local runner beside a plain loop over the same files. What is compared is called in
turn; ratios are taken within a round, and medians are reported. Images have the run's own shape.
"""

import argparse
import io
import json
import os
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import environment
import numpy as np

_BATCHES = (64, 256)
_KERAS = "keras predict_on_batch"
_SIGNATURES = {
    "float": ("predict_images", "images"),
    "uint8": ("predict_uint8", "images"),
    "png": ("predict_bytes", "image_bytes"),
    "jpeg": ("predict_bytes", "image_bytes"),
}
_ROUND_SECONDS = 0.25

Calls = dict[str, Callable[[], Any]]


def make_inputs(shape: tuple[int, int, int], count: int) -> dict[str, Any]:
    """Returns the same images in each form."""
    from dcgan import data, images

    height, _, channels = shape
    mnist = data.load_images("mnist", split="test").images[:count]
    pixels = data.prepare_array(mnist, image_size=height, channels=channels)
    return {
        "uint8": pixels,
        "float": images.to_float(pixels),
        "png": [encode(image, "png") for image in pixels],
        "jpeg": [encode(image, "jpeg") for image in pixels],
    }


def encode(pixels: np.ndarray, kind: str) -> bytes:
    import PIL.Image

    buffer = io.BytesIO()
    PIL.Image.fromarray(np.squeeze(pixels)).save(buffer, kind)
    return buffer.getvalue()


def make_calls(detector: Any, loaded: Any, inputs: dict[str, Any], batch: int) -> Calls:
    """Returns what scores a batch in each form, up to values that Python can read."""
    import tensorflow as tf

    def served(form: str) -> Callable[[], Any]:
        name, argument = _SIGNATURES[form]
        signature, values = loaded.signatures[name], inputs[form][:batch]
        return lambda: signature(**{argument: tf.constant(values)})["p_fake"].numpy()

    calls: Calls = {_KERAS: lambda: detector.predict_on_batch(inputs["float"][:batch])}
    return calls | {form: served(form) for form in _SIGNATURES}


def measure_latency(calls: Calls, rounds: int) -> dict[str, dict[str, float]]:
    """Returns milliseconds a call, of calls in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for repetition in range(30 * rounds + 10):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if repetition >= 10:
                seconds[name].append(time.perf_counter() - start)
    return {
        name: {f"p{q}_ms": round(1000 * float(np.percentile(values, q)), 3) for q in (50, 99)}
        for name, values in seconds.items()
    }


def measure_throughput(calls: Calls, batch: int, rounds: int) -> dict[str, dict[str, float]]:
    """Returns images a second, and the ratio to the Keras model's."""
    speeds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            count, start = 0, time.perf_counter()
            while time.perf_counter() < start + _ROUND_SECONDS:
                call()
                count += batch
            if number:  # The first round warms up.
                speeds[name].append(count / (time.perf_counter() - start))
    return {
        name: {
            "images_per_second": round(statistics.median(values)),
            "times_keras": round(
                statistics.median(
                    ours / keras for ours, keras in zip(values, speeds[_KERAS], strict=True)
                ),
                3,
            ),
        }
        for name, values in speeds.items()
    }


def measure_loading(path: pathlib.Path, rounds: int) -> float:
    """Returns seconds to load, without TensorFlow's own start."""
    import tensorflow as tf

    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        tf.saved_model.load(str(path))
        seconds.append(time.perf_counter() - start)
    return round(statistics.median(seconds), 3)


def measure_size(path: pathlib.Path, detector: Any) -> dict[str, float]:
    """Returns bytes on disk, warm-up and card aside, and of the weights."""
    files = [file for file in path.rglob("*") if file.is_file() and "assets.extra" not in file.parts]
    disk = {file.relative_to(path).as_posix(): file.stat().st_size for file in files}
    weights = sum(np.asarray(weight).nbytes for weight in detector.weights)
    total = sum(disk.values())
    return {"disk": total, "weights": weights, "ratio": round(total / weights, 3), "files": disk}


def measure_memory(call: Callable[[], Any], minutes: float) -> dict[str, float]:
    """Returns MB of resident memory after a tenth of the time, in which caches fill, and at the end."""
    start, samples = time.perf_counter(), []
    while (passed := time.perf_counter() - start) < 60 * minutes:
        call()
        samples.append((passed / (60 * minutes), resident_mb()))
    settled = [mb for share, mb in samples if share >= 0.1]
    return {
        "minutes": minutes,
        "calls": len(samples),
        "settled_mb": round(settled[0], 1),
        "end_mb": round(settled[-1], 1),
        "peak_mb": round(max(settled), 1),
    }


def resident_mb() -> float:
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def measure_bulk(path: pathlib.Path, contents: list[bytes], count: int, rounds: int) -> dict[str, float]:
    """Returns images a second of Beam's local runner and of a plain loop, each with its loading."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "images").mkdir()
        for number in range(count):
            (root / "images" / f"{number:07d}.png").write_bytes(contents[number % len(contents)])
        calls = {
            "plain": lambda: score_in_a_loop(path, root / "images", root / "plain.jsonl"),
            "beam": lambda: score_by_beam(path, root),
        }
        speeds: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(rounds):
            for name, call in calls.items():
                start = time.perf_counter()
                call()
                speeds[name].append(count / (time.perf_counter() - start))
    ratios = [beam / plain for beam, plain in zip(speeds["beam"], speeds["plain"], strict=True)]
    medians = {f"{name}_images_per_second": round(statistics.median(v)) for name, v in speeds.items()}
    return {"images": count, **medians, "ratio": round(statistics.median(ratios), 3)}


def score_in_a_loop(path: pathlib.Path, images: pathlib.Path, out: pathlib.Path) -> None:
    """Does what the pipeline does, without it."""
    import dataclasses

    import tensorflow as tf

    from export import bulk

    model = tf.saved_model.load(str(path))
    files = sorted(images.iterdir())
    with out.open("w") as file:
        for start in range(0, len(files), 256):
            chunk = files[start : start + 256]
            rows = bulk.score(model, list(map(str, chunk)), [each.read_bytes() for each in chunk])
            file.writelines(json.dumps(dataclasses.asdict(row)) + "\n" for row in rows)


def score_by_beam(path: pathlib.Path, root: pathlib.Path) -> None:
    from export import bulk

    bulk.score_bulk([str(root / "images" / "*")], str(path), str(root / "beam"))


def print_table(result: dict[str, Any]) -> None:
    """Prints what was measured for people."""
    forms = [_KERAS, *_SIGNATURES]
    print(f"{'':24} {'p50 ms':>8} {'p99 ms':>8}" + "".join(f"{f'{b}/s':>12}  ratio" for b in _BATCHES))
    for form in forms:
        latency = result["latency"][form]
        cells = "".join(
            f"{result['throughput'][str(b)][form]['images_per_second']:12,}"
            f"{result['throughput'][str(b)][form]['times_keras']:7.2f}"
            for b in _BATCHES
        )
        print(f"{form:24} {latency['p50_ms']:8.2f} {latency['p99_ms']:8.2f}{cells}")
    size = result["size"]
    print(f"load {result['load_seconds']} s; {size['disk']:,} bytes, {size['ratio']} times the weights")
    for name in ("memory", "bulk"):
        print(name, *(f"{key} {value}" for key, value in result[name].items()), sep="  ")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--bulk", type=int, default=20000)
    parser.add_argument("--json", type=pathlib.Path, help="where the results go, too")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as folder:
        result = measure(arguments, folder)
    print_table(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


def measure(arguments: argparse.Namespace, folder: str) -> dict[str, Any]:
    """Exports the run's detector, or an untrained one on its discriminator, and measures it."""
    import tensorflow as tf

    import export
    from dcgan import sampling
    from dcgan.detector import Detector, load
    from dcgan.runs.run_directory import RunDirectory

    run = RunDirectory.open(arguments.run)
    if run.detector.is_file():
        detector = load(run.detector)
    else:
        detector = Detector.from_discriminator(sampling.load_model(run.newest_model()).discriminator)
    path = export.export_model(detector, folder).path
    loaded = tf.saved_model.load(str(path))
    inputs = make_inputs(detector.image_shape, max(_BATCHES))
    single = make_calls(detector, loaded, inputs, 1)
    batched = {batch: make_calls(detector, loaded, inputs, batch) for batch in _BATCHES}
    return {
        "command": f"serving.py RUN --rounds {arguments.rounds} --minutes {arguments.minutes} "
        f"--bulk {arguments.bulk}",
        "environment": environment.describe("apache-beam"),
        "image_shape": detector.image_shape,
        "latency": measure_latency(single, arguments.rounds),
        "throughput": {
            str(batch): measure_throughput(calls, batch, arguments.rounds)
            for batch, calls in batched.items()
        },
        "load_seconds": measure_loading(path, 5),
        "size": measure_size(path, detector),
        "memory": measure_memory(batched[64]["png"], arguments.minutes),
        "bulk": measure_bulk(path, inputs["png"], arguments.bulk, 3),
    }


if __name__ == "__main__":
    main()
