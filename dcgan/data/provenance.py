"""What a run was trained on, recorded in the run and compared with what later commands load.

`data.json` says it to people: source, split, counts and digests. `data.npz` has the names of all files
and a hash of each image, from which follows what has changed.
"""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from dcgan.config import RunConfig
from dcgan.data.cache.storage import Storage
from dcgan.data.image_set import ImageSet
from dcgan.data.partition import Partition
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory
from dcgan.system import files

_PARTS = ("trained_on", "held_out")
_NAMED = 5
_RECORD = "the record of a run's images"


def load(
    run: RunDirectory,
    config: RunConfig,
    images: ImageSet | None = None,
    *,
    storage: Storage | None = None,
) -> Partition:
    """Loads a run's images and makes sure that they are those of its record.

    Args:
        run: The run, perhaps not started yet.
        config: Its config.
        images: The images of a run that was given them. Defaults to None.
        storage: Where images are kept. Defaults to where they were while the run was trained.

    Raises:
        InputError: If they differ from the record, or cannot be loaded, see `load_images`.
    """
    partition = Partition.load(config, images, storage=storage or Storage.load(run.storage))
    if not run.config.is_file():
        return partition
    if run.data_json.is_file():
        _compare(run, partition)
    return dataclasses.replace(partition, recorded=run.data_json.is_file())


def record(run: RunDirectory, config: RunConfig, partition: Partition) -> None:
    """Writes what a run is trained on, before `config.json` is written; a run that has started is left.

    Args:
        run: The run.
        config: Its config.
        partition: Its images.
    """
    if run.config.is_file():
        return
    sets = {name: getattr(partition, name) for name in _PARTS}
    arrays: dict[str, Any] = {"files": np.array(partition.trained_on.files or (), np.str_)}
    for name, images in sets.items():
        arrays[f"{name}_positions"], arrays[f"{name}_hashes"] = images.positions, images.image_digests
    with files.write_atomically(run.data_npz) as temporary:
        np.savez_compressed(temporary, **arrays)
    summary = {
        "data": config.data,
        "split": config.split,
        "shape": partition.trained_on.images.shape[1:],
        **{
            name: {"count": len(images.images), "digest": images.digest} for name, images in sets.items()
        },
        "held_out_was_trained_on": partition.seen,
        "class_names": partition.trained_on.class_names,
    }
    files.write_text(run.data_json, json.dumps(summary, indent=2) + "\n")


def read_hashes(run: RunDirectory) -> dict[str, np.ndarray]:
    """Reads the hash of each image that a run was trained on, and of each that was held out.

    Args:
        run: The run.

    Returns:
        Under "trained_on" and "held_out", see `ImageSet.image_digests`.

    Raises:
        InputError: If the run has no such record, or it is damaged.
    """
    arrays = _read(run)
    return {name: arrays[f"{name}_hashes"] for name in _PARTS}


def read_class_names(run: RunDirectory) -> tuple[str, ...] | None:
    """Reads the names of the classes that a run's images have; None where they have none.

    Args:
        run: The run.

    Raises:
        InputError: If the record is damaged.
    """
    summary = files.read_json(run.data_json, _RECORD) if run.data_json.is_file() else {}
    names = summary.get("class_names")
    return None if names is None else tuple(map(str, names))


def _read(run: RunDirectory) -> dict[str, np.ndarray]:
    try:
        with np.load(run.data_npz, allow_pickle=False) as content:
            arrays = dict(content)
        [
            arrays["files"],
            *(arrays[f"{name}_{kind}"] for name in _PARTS for kind in ("positions", "hashes")),
        ]
    except Exception as error:  # NumPy raises errors of many types on damaged files.
        raise InputError(
            f"{run.data_npz}: expected the record of the images that the run was trained on ({error})"
        ) from None
    return arrays


def _compare(run: RunDirectory, partition: Partition) -> None:
    summary: dict[str, Any] = files.read_json(run.data_json, _RECORD)
    now = {name: getattr(partition, name) for name in _PARTS}
    recorded = {name: part for name in now if isinstance(part := summary.get(name), dict)}
    if len(recorded) < len(now):
        raise InputError(f"{run.data_json}: expected the record of a run's images")
    if all(recorded[name].get("digest") == images.digest for name, images in now.items()):
        return
    raise InputError(
        f"{run.path}: expected the images that it was trained on, but {partition.trained_on.name} has "
        f"changed: {'; '.join(_differences(_read(run), now)) or 'their order'}. Bring them back, or "
        "train a new run"
    )


def _differences(before: dict[str, np.ndarray], now: dict[str, ImageSet]) -> list[str]:
    files_now = now["trained_on"].files
    if not files_now:
        return [text for name, images in now.items() if (text := _difference(before, name, images))]
    old_names = before["files"].tolist()
    old = {old_names[place]: digest for name in _PARTS for place, digest in _pairs(before, name)}
    new = {
        files_now[place]: digest
        for images in now.values()
        for place, digest in zip(images.positions.tolist(), images.image_digests.tolist(), strict=True)
    }
    found = {
        "added": sorted(set(files_now) - set(old_names)),
        "removed": sorted(set(old_names) - set(files_now)),
        "replaced": sorted(name for name in set(old) & set(new) if old[name] != new[name]),
    }
    return [f"{kind} {_some(names)}" for kind, names in found.items() if names]


def _pairs(before: dict[str, np.ndarray], name: str) -> list[tuple[int, int]]:
    places, hashes = before[f"{name}_positions"].tolist(), before[f"{name}_hashes"].tolist()
    return list(zip(places, hashes, strict=True))


def _difference(before: dict[str, np.ndarray], name: str, images: ImageSet) -> str:
    old, new = before[f"{name}_hashes"], images.image_digests
    where = "to train on" if name == "trained_on" else "held out"
    if len(old) != len(new):
        return f"{len(new):,} images {where}, not {len(old):,}"
    changed = np.flatnonzero(old != new)
    if not len(changed):
        return ""
    first = images.name_image(int(changed[0]))
    return f"{len(changed):,} of {len(new):,} images {where} are others, the first is {first}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
