"""How a folder of images is laid out: which folders in it are splits, which are classes."""

import collections
import pathlib
from collections.abc import Iterable, Mapping, Sequence

from dcgan import errors
from dcgan.data.folders import folder_walk

_SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "val",
}
_KINDS = 5


def find_splits(folder: pathlib.Path, *, name: str) -> dict[str, pathlib.Path]:
    """Finds the folder of each split by its name, in any case.

    Args:
        folder: The folder of images.
        name: The source as given, for errors.

    Returns:
        Folders by split: "train" and others; or the whole folder under the empty name, if it has no
        folder of training images or no other split.

    Raises:
        InputError: If two folders have names of one split.
    """
    found = collections.defaultdict(list)
    for entry in folder_walk.list_names(folder):
        split = _SPLITS.get(entry.lower())
        if split and folder_walk.is_folder(folder / entry):
            found[split].append(folder / entry)
    if "train" not in found or len(found) == 1:
        return {"": folder}
    for paths in found.values():
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            raise errors.InputError(f"{name}: expected one folder a split, found {names}")
    return {split: found[split][0] for split in dict.fromkeys(_SPLITS.values()) if split in found}


def describe(
    files: Mapping[str, Sequence[str]],
    class_names: Iterable[str] | None,
    others: Iterable[str],
    *,
    whole: bool,
) -> str:
    """Says how a folder was understood, with counts.

    Args:
        files: Image files by split, as paths relative to its folder; those of a folder without
            splits under the empty name.
        class_names: The classes, the first folders of the paths; or None.
        others: The names of files that are no images by their suffix.
        whole: Whether all of it is loaded, whatever its splits.
    """
    counts = {split: len(found) for split, found in files.items()}
    parts = [f"{counts['']:,} images" if "" in counts else f"splits {_count(counts)}"]
    if "" in counts and not whole:
        parts[0] += " without split folders, a tenth of them to test on"
    if class_names is not None:
        firsts = (file.partition("/")[0] for found in files.values() for file in found)
        parts.append(f"classes {_count(collections.Counter(firsts))}")
    if kinds := count_kinds(others):
        parts.append(f"passed over as no images: {kinds}")
    return "; ".join(parts)


def count_kinds(names: Iterable[str]) -> str:
    """Counts files by their suffix, those without one by name.

    Args:
        names: The files' names.
    """
    return _count(collections.Counter(pathlib.PurePath(name).suffix.lower() or name for name in names))


def _count(counts: Mapping[str, int]) -> str:
    named = ", ".join(f"{name} ({count:,})" for name, count in list(counts.items())[:_KINDS])
    return named if len(counts) <= _KINDS else f"{named} and {len(counts) - _KINDS} more"
