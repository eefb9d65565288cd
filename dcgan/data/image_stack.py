"""Many image files as one stack of equal size, decoded by a pool of threads."""

import concurrent.futures
import functools
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import tensorflow as tf

from dcgan import errors
from dcgan.data import image_file, image_set, preprocessing

_CHUNK = 32
_WAITING_BYTES = 2**22
_NAMED = 10
_T = TypeVar("_T")


def decode(
    paths: Sequence[pathlib.Path], request: image_set.Request, *, folder: pathlib.Path, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Reads image files into one array.

    Pixels go straight to their place in the array, so that beside it only a few decoded files a
    thread are in memory: one if they are large.

    Args:
        paths: The files.
        request: What is wanted. Without an image size the files must share one; without channels
            they become grey if all are grey, else RGB.
        folder: The files are named relative to it in errors.
        name: The source as given, for errors.

    Returns:
        The images, shape (readable files, height, width, channels), uint8, and which files they
        are, shape (files,), bool: all True unless `request.skip_bad`.

    Raises:
        InputError: If a file cannot be read and `request.skip_bad` is False, if none can be, or if
            there are several sizes and none is asked for.
    """
    shape = _shape(paths, request, folder=folder, name=name)
    images = np.empty((len(paths), *shape), np.uint8)
    prepare = _prepare(request.image_size, shape[-1])

    def read(indices: range) -> list[Exception | None]:
        writer = _Writer(images, prepare)
        outcomes = []
        for index in indices:
            pixels = _outcome(image_file.decode, paths[index])
            outcomes.append(pixels if isinstance(pixels, Exception) else None)
            if isinstance(pixels, np.ndarray):
                writer.add(index, pixels)
        writer.flush()
        return outcomes

    outcomes = _map(read, len(paths))
    good = np.array([outcome is None for outcome in outcomes])
    if good.all():
        return images, good
    if not (request.skip_bad and good.any()):
        raise _unreadable(paths, outcomes, folder=folder, name=name)
    return images[good], good


class _Writer:
    """Puts images to their places, those of one shape together: one call costs as much as many."""

    def __init__(self, images: np.ndarray, prepare: Callable[[np.ndarray], np.ndarray]) -> None:
        self._images = images
        self._prepare = prepare
        self._indices: list[int] = []
        self._waiting: list[np.ndarray] = []

    def add(self, index: int, pixels: np.ndarray) -> None:
        if pixels.shape == self._images.shape[1:]:
            self._images[index] = pixels
            return
        if self._waiting and self._waiting[0].shape != pixels.shape:
            self.flush()
        self._indices.append(index)
        self._waiting.append(pixels)
        if len(self._waiting) * pixels.nbytes > _WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            self._images[self._indices] = self._prepare(np.stack(self._waiting))
        self._indices, self._waiting = [], []


def _shape(
    paths: Sequence[pathlib.Path], request: image_set.Request, *, folder: pathlib.Path, name: str
) -> tuple[int, int, int]:
    """Returns the height, width and channels of the stack, reading headers only if need be."""
    size, channels = request.image_size, request.channels
    if size and channels:
        return size, size, channels
    outcomes = _map(
        lambda indices: [_outcome(image_file.read_header, paths[i]) for i in indices], len(paths)
    )
    headers = [outcome for outcome in outcomes if isinstance(outcome, image_file.Header)]
    if not headers:
        raise _unreadable(paths, outcomes, folder=folder, name=name)
    channels = channels or max(header.channels for header in headers)
    if size:
        return size, size, channels
    sizes = sorted({(header.height, header.width) for header in headers})
    if len(sizes) > 1:
        met = _some([f"{height} x {width}" for height, width in sizes])
        raise errors.InputError(
            f"{name}: expected image_size, or images of one size; received heights x widths {met}"
        )
    return *sizes[0], channels


def _prepare(image_size: int | None, channels: int) -> Callable[[np.ndarray], np.ndarray]:
    """Returns `preprocessing.prepare` as one graph for images of any size and channels."""
    graph = tf.function(
        functools.partial(preprocessing.prepare, image_size=image_size, channels=channels),
        input_signature=[tf.TensorSpec([None, None, None, None], tf.uint8)],
    )
    return lambda pixels: graph(tf.constant(pixels)).numpy()


def _map(function: Callable[[range], list[_T]], count: int) -> list[_T]:
    """Joins what a function returns for the ranges that make up 0 to count - 1."""
    chunks = [range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    pool = concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1))
    try:
        with image_file.without_warnings():
            return [outcome for outcomes in pool.map(function, chunks) for outcome in outcomes]
    finally:
        pool.shutdown(cancel_futures=True)


def _outcome(function: Callable[[pathlib.Path], _T], path: pathlib.Path) -> _T | Exception:
    try:
        return function(path)
    except errors.InputError as error:
        return error


def _unreadable(
    paths: Sequence[pathlib.Path], outcomes: Sequence[object], *, folder: pathlib.Path, name: str
) -> errors.InputError:
    bad = list(_reasons(paths, outcomes, folder=folder))
    return errors.InputError(
        f"{name}: expected readable images, {len(bad)} of {len(paths)} cannot be read "
        f"(skip_bad leaves them out): {_some(bad)}"
    )


def _reasons(
    paths: Sequence[pathlib.Path], outcomes: Sequence[object], *, folder: pathlib.Path
) -> Iterator[str]:
    for path, outcome in zip(paths, outcomes, strict=True):
        if isinstance(outcome, image_file.UnreadableError):
            yield f"{path.relative_to(folder).as_posix()} ({outcome.reason})"


def _some(texts: Sequence[str]) -> str:
    """Joins up to ten texts and says how many more there are."""
    named = ", ".join(texts[:_NAMED])
    return named if len(texts) <= _NAMED else f"{named} and {len(texts) - _NAMED} more"
