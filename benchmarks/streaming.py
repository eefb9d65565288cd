"""Training on images that do not fit into memory: the cache's speed, memory, and the input's share.

    python benchmarks/streaming.py --images 10000 50000 200000 > benchmarks/results/streaming.json

Images are noise over tiles, written once into the directory. The bare loop opens, converts and copies
each with Pillow in two processes. Both it and the cache are timed without the start of their processes.
Each set is trained on twice, for a few steps, in processes of their own: the first makes the cache, the
second finds it. Then the input pipeline alone goes through an epoch; peak memory covers that too.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
import PIL.Image

_PROCESSES = 2


def main() -> None:
    options = _parse()
    if options.child:
        print(json.dumps(_train(options, pathlib.Path(options.child))))
        return
    import environment

    options.directory.mkdir(parents=True, exist_ok=True)
    _write_images(options, max(options.images))
    results = {
        "command": f"streaming.py {' '.join(sys.argv[1:])}",
        "environment": environment.describe(),
        "sets": [_measure(options, count) for count in options.images],
    }
    print(json.dumps(results, indent=1))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 50_000, 200_000])
    parser.add_argument("--size", type=int, default=128, help="Side in training.")
    parser.add_argument("--source", type=int, default=128, help="Side of the files.")
    parser.add_argument("--format", default="jpg", choices=("jpg", "png"))
    parser.add_argument("--preset", default="rgb128")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--memory", type=int, default=0, help="The budget in bytes.")
    parser.add_argument(
        "--directory", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir(), "streaming")
    )
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def _write_images(options: argparse.Namespace, count: int) -> None:
    """Writes folders of a thousand images, but those that are there."""
    rng = np.random.default_rng(0)
    for number in range(count):
        path = _path(options, number)
        noise = rng.integers(0, 24, (options.source, options.source, 3), np.uint8)
        tiles = rng.integers(0, 232, (8, 8, 3), np.uint8).repeat(-(-options.source // 8), 0)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = tiles.repeat(-(-options.source // 8), 1)[: options.source, : options.source]
            PIL.Image.fromarray(pixels + noise).save(path, quality=90)


def _path(options: argparse.Namespace, number: int) -> pathlib.Path:
    name = f"all-{options.source}-{options.format}"
    return options.directory / name / f"{number // 1000:04d}" / f"{number:07d}.{options.format}"


def _measure(options: argparse.Namespace, count: int) -> dict[str, Any]:
    """Measures a set of so many images, linked into a folder of their own."""
    folder, run = options.directory / f"first-{count}", options.directory / f"run-{count}"
    for path in (folder, run, options.directory / "cache"):
        shutil.rmtree(path, ignore_errors=True)
    folder.mkdir()
    paths = [_path(options, number) for number in range(count)]
    for path in paths:
        os.link(path, folder / path.name)
    bare = _bare_loop(paths)
    first, second = _start(options, folder), _start(options, folder)
    built = first.pop("cache")
    return {
        "images": count,
        "bytes": count * options.size**2 * 3,
        "cache": {
            **built,
            "bare_images_a_second": bare,
            "ratio_to_bare": built["images_a_second"] / bare,
        },
        "first_start": first,
        "second_start": second,
    }


def _bare_loop(paths: list[pathlib.Path]) -> float:
    with multiprocessing.get_context("spawn").Pool(_PROCESSES) as pool:
        pool.map(_decode, [paths[:1]] * _PROCESSES, chunksize=1)  # Starts them.
        began = time.perf_counter()
        pool.map(_decode, [paths[number::_PROCESSES] for number in range(_PROCESSES)])
        return len(paths) / (time.perf_counter() - began)


def _decode(paths: list[pathlib.Path]) -> None:
    for path in paths:
        with PIL.Image.open(path) as image:
            np.asarray(image.convert("RGB")).copy()


def _start(options: argparse.Namespace, folder: pathlib.Path) -> dict[str, Any]:
    """Trains for a few steps in another process."""
    command = [sys.executable, __file__, *sys.argv[1:], "--child", str(folder)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(answer.splitlines()[-1])


def _train(options: argparse.Namespace, folder: pathlib.Path) -> dict[str, Any]:
    began = time.perf_counter()
    import keras

    import dcgan
    from dcgan import presets
    from dcgan.data import Storage, load_split
    from dcgan.data.batching import feed
    from dcgan.data.cache import image_cache
    from dcgan.system import progress

    imported = time.perf_counter()
    cached: list[tuple[float, float]] = []
    ends: list[float] = []

    class Ended(Exception):  # noqa: N818
        pass

    class Steps(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            ends.append(time.perf_counter())
            if len(ends) > options.steps:
                raise Ended

    config = presets.override(
        presets.get(options.preset),
        data=str(folder),
        features="none",
        network={"image_size": options.size, "channels": 3},
        training={"batch_size": options.batch_size},
    )
    storage = Storage(options.memory, options.directory / "cache")
    run = options.directory / f"run-{folder.name}"
    shutil.rmtree(run, ignore_errors=True)

    def told(part: str, share: float, begun: float) -> None:
        if part == image_cache.PART:
            cached.append((time.perf_counter(), share))

    with progress.listening(told), contextlib.suppress(Ended):
        dcgan.train(config, run, storage=storage, callbacks=[Steps()])
    results: dict[str, Any] = {
        "seconds_to_import": imported - began,
        "seconds_to_first_step": ends[0] - began,
        "seconds_a_step": (ends[-1] - ends[0]) / (len(ends) - 1),
    }
    images = feed.Feed.of_images(load_split(config, config.split, storage), config)
    batches = iter(images.batches(0))
    next(batches)
    drawing = time.perf_counter()
    for _ in range(images.steps):
        next(batches)
    drawn = time.perf_counter() - drawing
    results |= {
        "steps_an_epoch": images.steps,
        "seconds_to_draw_an_epoch": drawn,
        "seconds_an_epoch": results["seconds_a_step"] * images.steps,
        "input_share": drawn / images.steps / results["seconds_a_step"],
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    if cached:
        count = len(list(folder.iterdir()))
        # Between the first chunk and the last: how long processes take to start does not grow.
        seconds = cached[-1][0] - cached[0][0]
        done = count * (cached[-1][1] - cached[0][1])
        workers = resource.getrusage(resource.RUSAGE_CHILDREN)
        results["cache"] = {
            "images_a_second": done / max(seconds, 1e-9),
            "processor_seconds": workers.ru_utime + workers.ru_stime,
        }
    return results


if __name__ == "__main__":
    main()
