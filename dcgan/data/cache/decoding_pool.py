"""Images decoded into a cache by as many processes as there are processors.

Threads would wait for each other: half of the time that Pillow takes for a small image is Python.
"""

import concurrent.futures
import contextlib
import os
import pickle
import queue
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from dcgan.data.cache.image_cache import Chunk, Target
from dcgan.data.decoding.encoded_item import EncodedItem
from dcgan.errors import InputError

_CHUNK = 128
# A worker is one of many: it takes one processor and no GPU.
_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}


def fill(items: Sequence[EncodedItem], target: Target, start: int) -> Iterator[Chunk]:
    """Decodes images into the rows of a file, see `image_cache.Fill`.

    Args:
        items: All images of the source.
        target: The file.
        start: The first row that is missing.

    Raises:
        OSError: If the file cannot be written to.
        InputError: If a process ends, as where memory is short.
    """
    starts = range(start, len(items), _CHUNK)
    count = min(len(starts), _processors())
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            idle.put(stack.enter_context(_Worker(target)))

        def decode(first: int) -> Chunk:
            worker = idle.get()
            try:
                return worker.decode(first, items[first : first + _CHUNK])
            finally:
                idle.put(worker)

        threads = concurrent.futures.ThreadPoolExecutor(max(1, count))
        stack.callback(threads.shutdown, cancel_futures=True)
        yield from threads.map(decode, starts)


def _processors() -> int:
    """Returns how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    """A process that runs `decode_worker`."""

    def __init__(self, target: Target) -> None:
        # Not `multiprocessing`, which would run a user's program again in each process.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dcgan.data.cache.decode_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | _ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C is not for it.
        )
        self._send(target)

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *error: object) -> None:
        """Ends the process."""
        self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()

    def decode(self, start: int, items: Sequence[EncodedItem]) -> Chunk:
        """Has some rows decoded; what goes wrong in the process is raised here."""
        stream: Any = self._process.stdout
        try:
            self._send((start, list(items)))
            reply = pickle.load(stream)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise InputError(
                f"{items[0].name}: expected images that can be decoded, but the process that decodes "
                "them has ended, as where memory is short"
            ) from error
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _send(self, value: Any) -> None:
        stream: Any = self._process.stdin
        pickle.dump(value, stream)
        stream.flush()
