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


class ImageFolder:
    """The image files of a folder and of the folders in it, found once for all of its splits.

    Args:
        folder: Where to look. Links are followed, but no folder is read twice.
        name: The source as given, for the result and for errors.

    Raises:
        InputError: If there are no image files, or a folder cannot be read.
    """

    def __init__(self, folder: pathlib.Path, *, name: str) -> None:
        self._name = name
        roots = folder_layout.find_splits(folder, name=name)
        walked = {split: _find(root) for split, root in roots.items()}
        self._files = {split: images for split, (images, _) in walked.items()}
        self._sizes = {split: len(found) for split, found in self._files.items()}
        self._others = [other for _, passed_over in walked.values() for other in passed_over]
        self._others += [] if "" in roots else _outside(folder, roots)
        if not any(self._files.values()):
            others = self._others
            found = f"none among {folder_layout.count_kinds(others)}" if others else "none"
            raise errors.InputError(
                f"{name}: expected image files ({', '.join(image_formats.SUFFIXES)}), found {found}"
            )
        self._relative = [relative for found in self._files.values() for relative in found]
        self._class_names = _class_names(self._relative)
        items = [
            item for split, found in self._files.items() for item in _items(found, roots[split], folder)
        ]
        self._encoded = encoded_images.EncodedImages(items, name=name, identity=str(folder.absolute()))

    def load(self, request: image_set.Request) -> image_set.ImageSet:
        """Loads a split.

        Args:
            request: What to load. Without an image size the files must share one; without channels
                they become grey if all are grey, else RGB.

        Returns:
            The images in the order of their relative paths (for `train` and `test` of a folder without
            splits of its own: in a fixed shuffled order), labelled by their folders if there are
            several.

        Raises:
            InputError: If some cannot be read, the split does not exist, or the images have several
                sizes and no size is asked for.
        """
        names, is_whole = self._class_names, request.split == "all"
        positions = splits.choose(request.split, self._sizes, source=self._name)
        layout = folder_layout.describe(self._files, names, self._others, whole=is_whole)
        remarks.say(f"{self._name}: {layout}")
        decoded = self._encoded.load(positions, request)
        kept = positions[decoded.good]
        return image_set.ImageSet(
            name=self._name,
            split=request.split,
            images=decoded.images,
            labels=_labels([self._relative[position] for position in kept], names) if names else None,
            class_names=names,
            skipped=len(positions) - len(kept),
            positions=kept,
            files=self._encoded.names,
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
    split_folders = {root.name for root in roots.values()}
    names = folder_walk.list_names(folder)
    return [name for name in names if name not in split_folders and not name.startswith(".")]


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


def _class_names(files: Sequence[str]) -> tuple[str, ...] | None:
    names = {file.partition("/")[0] if "/" in file else "" for file in files}
    return tuple(sorted(names)) if len(names) > 1 and "" not in names else None


def _labels(chosen: Sequence[str], class_names: tuple[str, ...]) -> np.ndarray:
    numbers = {name: number for number, name in enumerate(class_names)}
    return np.array([numbers[file.partition("/")[0]] for file in chosen], np.int64)
