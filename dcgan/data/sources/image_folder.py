"""A folder of image files, with or without sub-folders for splits and classes.

Files count by their suffix; hidden files and folders do not. If the folder has a `train` and a
`test`, `validation` or `val` folder, those are its splits and nothing else in it is read; `training`,
`testing` and `valid` are other names of theirs, in any case. Where all images of a split lie in two or
more folders, these are their classes. A line says what was understood and what was passed over.
"""

import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from dcgan import errors
from dcgan.data import image_set, remarks
from dcgan.data.decoding import image_formats
from dcgan.data.decoding.encoded_item import EncodedItem
from dcgan.data.folders import folder_layout, folder_walk
from dcgan.data.sources import encoded_images, splits


def load(folder: pathlib.Path, request: image_set.Request, *, name: str) -> image_set.ImageSet:
    """Loads the image files of a folder and of the folders in it.

    Args:
        folder: Where to look. Links are followed, but no folder is read twice.
        request: What to load. Without an image size the files must share one; without channels
            they become grey if all are grey, else RGB.
        name: The source as given, for the result and for errors.

    Returns:
        The images in the order of their relative paths (for `train` and `test` of a folder without
        splits of its own: in a fixed shuffled order), labelled by their folders if there are
        several.

    Raises:
        InputError: If there are no image files, some cannot be read, the split does not exist, or the
            images have several sizes and no size is asked for.
    """
    roots = folder_layout.find_splits(folder, name=name)
    walked = {split: _find(root) for split, root in roots.items()}
    files = {split: images for split, (images, _) in walked.items()}
    others = [other for _, passed_over in walked.values() for other in passed_over]
    others += [] if "" in roots else _outside(folder, roots)
    if not any(files.values()):
        found = f"none among {folder_layout.count_kinds(others)}" if others else "none"
        raise errors.InputError(
            f"{name}: expected image files ({', '.join(image_formats.SUFFIXES)}), found {found}"
        )
    everything = [(split, relative) for split, found in files.items() for relative in found]
    positions = _choose(files, request.split, name=name)
    class_names = _class_names([relative for _, relative in everything])
    layout = folder_layout.describe(files, class_names, others, whole=request.split == "all")
    remarks.say(f"{name}: {layout}")
    items = [item for split, found in files.items() for item in _items(found, roots[split], folder)]
    identity = str(folder.absolute())
    decoded = encoded_images.load(items, positions, request, name=name, identity=identity)
    kept = positions[decoded.good]
    chosen = [everything[position] for position in kept]
    return image_set.ImageSet(
        name=name,
        split=request.split,
        images=decoded.images,
        labels=_labels(chosen, class_names) if class_names else None,
        class_names=class_names,
        skipped=len(positions) - len(kept),
        positions=kept,
        files=tuple(item.name for item in items),
        jpeg_qualities=decoded.qualities,
    )


def _items(files: Sequence[str], root: pathlib.Path, folder: pathlib.Path) -> list[EncodedItem]:
    """Returns a split's images, named by their paths within the folder."""
    # Strings, for folders of millions of files.
    start = os.path.join(root, "")  # noqa: PTH118
    named = "" if root == folder else f"{root.relative_to(folder).as_posix()}/"
    return [EncodedItem(start + file, named + file) for file in files]


def _outside(folder: pathlib.Path, roots: Mapping[str, pathlib.Path]) -> list[str]:
    """Returns the names of what lies beside the split folders."""
    names = {path.name for path in folder.iterdir()} - {root.name for root in roots.values()}
    return sorted(name for name in names if not name.startswith("."))


def _find(root: pathlib.Path) -> tuple[list[str], list[str]]:
    """Returns the relative POSIX paths of all image files, sorted, and the names of other files."""
    found, others = [], []
    for entry in folder_walk.walk(root):
        is_image = not entry.is_folder and _is_image_name(entry.name)
        if entry.error and not is_image:
            path = root / entry.relative
            raise errors.InputError(f"{path}: expected a folder that can be read ({entry.error})")
        if is_image:
            found.append(entry.relative)
        elif not entry.is_folder:
            others.append(entry.name)
    return sorted(found), others


def _is_image_name(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(image_formats.SUFFIXES)


def _choose(files: Mapping[str, Sequence[str]], split: str, *, name: str) -> np.ndarray:
    """Returns the positions of a split's files, those of all split folders in a row."""
    if "" in files:
        return splits.of_undeclared(split, len(files[""]), source=name)
    sizes = {own: len(found) for own, found in files.items()}
    return splits.positions(splits.of_declared(split, sizes, source=name), sizes)


def _class_names(files: Sequence[str]) -> tuple[str, ...] | None:
    names = {file.partition("/")[0] if "/" in file else "" for file in files}
    return tuple(sorted(names)) if len(names) > 1 and "" not in names else None


def _labels(chosen: Sequence[tuple[str, str]], class_names: tuple[str, ...]) -> np.ndarray:
    numbers = {name: number for number, name in enumerate(class_names)}
    return np.array([numbers[file.partition("/")[0]] for _, file in chosen], np.int64)
