"""A folder of image files, with or without sub-folders for splits and classes.

Files count by their suffix; hidden files and folders do not. If the folder has a `train` and a
`test`, `validation` or `val` folder, those are its splits and nothing else in it is read. Where all
images of a split lie in two or more folders, these are their classes.
"""

import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from dcgan import errors
from dcgan.data import image_file, image_set, image_stack, splits

_SPLITS = ("train", "test", "validation", "val")


def load(folder: pathlib.Path, request: image_set.Request, *, name: str) -> image_set.ImageSet:
    """Loads the image files of a folder and of the folders in it.

    Args:
        folder: Where to look. Links are followed, but no folder is read twice.
        request: What is wanted.
        name: The source as given, for the result and for errors.

    Returns:
        The images in the order of their relative paths (for `train` and `test` of a folder without
        splits of its own: in a fixed shuffled order), labelled by their folders if there are
        several.

    Raises:
        InputError: If there are no image files, some cannot be read, the split is not there, or
            the images have several sizes and none is asked for.
    """
    roots = _split_folders(folder)
    files = {split: _find(root) for split, root in roots.items()}
    if not any(files.values()):
        raise errors.InputError(
            f"{name}: expected image files ({', '.join(image_file.SUFFIXES)}), found none"
        )
    chosen = _choose(files, request.split, name=name)
    paths = [roots[split] / relative for split, relative in chosen]
    images, good = image_stack.decode(paths, request, folder=folder, name=name)
    class_names = _class_names([relative for found in files.values() for relative in found])
    return image_set.ImageSet(
        name=name,
        split=request.split,
        images=images,
        labels=_labels(chosen, class_names)[good] if class_names else None,
        class_names=class_names,
        skipped=int(np.count_nonzero(~good)),
    )


def _split_folders(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """Returns the folder of each split, or the whole folder under the empty name."""
    found = {split: folder / split for split in _SPLITS if (folder / split).is_dir()}
    return found if "train" in found and len(found) > 1 else {"": folder}


def _find(root: pathlib.Path) -> list[str]:
    """Returns the relative POSIX paths of all image files, sorted."""
    found = []
    seen = set()
    for folder, subfolders, names in os.walk(root, followlinks=True, onerror=_fail):
        status = pathlib.Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        relative = pathlib.Path(folder).relative_to(root)
        found += [(relative / name).as_posix() for name in names if _is_image_name(name)]
    return sorted(found)


def _fail(error: OSError) -> None:
    raise error


def _is_image_name(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(image_file.SUFFIXES)


def _choose(files: Mapping[str, Sequence[str]], split: str, *, name: str) -> list[tuple[str, str]]:
    """Returns the files of a split, each as the split folder's name and the relative path."""
    if "" in files:
        return [("", files[""][i]) for i in splits.of_undeclared(split, len(files[""]), source=name)]
    sizes = {own: len(found) for own, found in files.items()}
    parts = splits.of_declared(split, sizes, source=name)
    return [(part.name, file) for part in parts for file in files[part.name][part.start : part.stop]]


def _class_names(files: Sequence[str]) -> tuple[str, ...] | None:
    names = {file.partition("/")[0] if "/" in file else "" for file in files}
    return tuple(sorted(names)) if len(names) > 1 and "" not in names else None


def _labels(chosen: Sequence[tuple[str, str]], class_names: tuple[str, ...]) -> np.ndarray:
    numbers = {name: number for number, name in enumerate(class_names)}
    return np.array([numbers[file.partition("/")[0]] for _, file in chosen], np.int64)
