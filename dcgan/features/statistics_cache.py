"""Statistics of real images on disk, so that they are computed once."""

import hashlib
import json
import pathlib
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from dcgan.data.indexed_images import IndexedImages
from dcgan.metrics.embedding import Embedding
from dcgan.metrics.moments import Moments
from dcgan.metrics.suite import Real
from dcgan.system import files


class Statistics(NamedTuple):
    """Real images, and the floor by metric if there is one."""

    real: Real
    floor: Mapping[str, float] | None


def recall(path: pathlib.Path, compute: Callable[[], Statistics]) -> Statistics:
    """Reads statistics, or computes and writes them where there is no readable file.

    Either way they are the same floats; the ".npz" file's name must tell them from all others.
    """
    try:
        return _read(path)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        statistics = compute()
        _write(path, statistics)
        return statistics


def fingerprint(*parts: object) -> str:
    """Returns 32 hexadecimal digits for arrays, images (their hashes) and other values (`repr`)."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, IndexedImages):
            part = np.array([*part.shape, *part.hashes], np.uint64)
        if isinstance(part, np.ndarray):
            digest.update(f"{part.shape}{part.dtype}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(repr(part).encode())
    return digest.hexdigest()[:32]


def _write(path: pathlib.Path, statistics: Statistics) -> None:
    moments, kept = statistics.real.moments, statistics.real.kept
    arrays: dict[str, Any] = {
        "mean": moments.mean,
        "scatter": moments.scatter,
        "features": kept.features,
        "rest": json.dumps({"count": moments.count, "floor": statistics.floor}),
    }
    if kept.probabilities is not None:
        arrays["probabilities"] = kept.probabilities
    with files.write_atomically(path) as temporary:
        np.savez(temporary, **arrays)


def _read(path: pathlib.Path) -> Statistics:
    with np.load(path) as arrays:
        rest = json.loads(str(arrays["rest"]))
        moments = Moments(len(arrays["mean"]))
        moments.mean, moments.scatter = arrays["mean"], arrays["scatter"]
        moments.count = int(rest["count"])
        known = "probabilities" in arrays
        kept = Embedding(arrays["features"], arrays["probabilities"] if known else None)
    return Statistics(Real(moments, kept), rest["floor"])
