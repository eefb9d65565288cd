"""A folder of image files, with or without sub-folders for splits and classes.

Files count by their suffix; hidden files and folders do not. If the folder has a `train` and a
`test`, `validation` or `val` folder, those are its splits and nothing else in it is read; `training`,
`testing` and `valid` are other names of theirs, in any case. Where all images of a split lie in two or
more folders, these are their classes. A line says what was understood and what was passed over.
"""

import concurrent.futures
import functools
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import PIL.Image

from dcgan import errors
from dcgan.data import image_set, preprocessing, remarks, splits
from dcgan.data.decoding import image_file, image_formats, jpeg_quality
from dcgan.data.folders import folder_layout, folder_walk

_NAMED = 10
_T = TypeVar("_T")


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
    chosen = [everything[position] for position in positions]
    paths = [roots[split] / relative for split, relative in chosen]
    class_names = _class_names([relative for _, relative in everything])
    remarks.say(f"{name}: {folder_layout.describe(files, class_names, others)}")
    images, qualities, good = _decode(paths, request, folder=folder, name=name)
    return image_set.ImageSet(
        name=name,
        split=request.split,
        images=images,
        labels=_labels(chosen, class_names)[good] if class_names else None,
        class_names=class_names,
        skipped=int(np.count_nonzero(~good)),
        positions=positions[good],
        files=tuple(
            (roots[split] / relative).relative_to(folder).as_posix() for split, relative in everything
        ),
        jpeg_qualities=qualities,
    )


def _outside(folder: pathlib.Path, roots: Mapping[str, pathlib.Path]) -> list[str]:
    """Returns the names of what lies beside the split folders."""
    names = {path.name for path in folder.iterdir()} - {root.name for root in roots.values()}
    return sorted(name for name in names if not name.startswith("."))


def _find(root: pathlib.Path) -> tuple[list[str], list[str]]:
    """Returns the relative POSIX paths of all image files, sorted, and the names of other files."""
    found, others = [], []
    for entry in folder_walk.walk(root):
        is_image = not entry.is_folder and _is_image_name(entry.path.name)
        if entry.error and not is_image:
            raise errors.InputError(f"{entry.path}: expected a folder that can be read ({entry.error})")
        if is_image:
            found.append(entry.path.relative_to(root).as_posix())
        elif not entry.is_folder:
            others.append(entry.path.name)
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


def _decode(
    paths: Sequence[pathlib.Path], request: image_set.Request, *, folder: pathlib.Path, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the images as one array, their JPEG qualities, and which of the files they are.

    Pixels go straight to their place in the array: no more than a file for each thread is in memory
    beside it.
    """
    unreadable = functools.partial(_unreadable, paths, folder=folder, name=name)
    shape = _shape(paths, request, name=name, unreadable=unreadable)
    images, qualities = np.empty((len(paths), *shape), np.uint8), np.zeros(len(paths), np.uint8)
    prepare = preprocessing.for_any_size(image_size=request.image_size, channels=shape[-1])

    shapes = set()

    def to_shape(pixels: np.ndarray) -> np.ndarray:
        shapes.add((pixels.shape[0], pixels.shape[1], 1 if pixels.shape[2] < 3 else 3))
        return pixels if pixels.shape == shape else prepare(pixels)

    def read(index: int) -> None:
        def look(image: PIL.Image.Image) -> None:
            # Scaling leaves little of what JPEG has done.
            qualities[index] = jpeg_quality.read(image) if min(image.size) == min(shape[:2]) else 0

        images[index] = image_file.decode(paths[index], to_shape, look=look)

    outcomes = _map(read, range(len(paths)))
    good = np.array([outcome is None for outcome in outcomes])
    if not good.all() and not (request.skip_bad and good.any()):
        raise unreadable(outcomes)
    if not good.all():
        remarks.say(f"{name}: left out, {_name_bad(paths, outcomes, folder=folder)}")
    largest = max(shapes)[:2]
    remarks.say_conversion(name, (*largest, max(channels for _, _, channels in shapes)), shape)
    return (images if good.all() else images[good]), qualities[good], good


def _shape(
    paths: Sequence[pathlib.Path],
    request: image_set.Request,
    *,
    name: str,
    unreadable: Callable[[Sequence[object]], errors.InputError],
) -> tuple[int, int, int]:
    """Returns the images' height, width and channels; reads the files' headers only if need be."""
    size, channels = request.image_size, request.channels
    if size and channels:
        return size, size, channels
    outcomes = _map(image_file.read_header, paths)
    headers = [outcome for outcome in outcomes if isinstance(outcome, image_file.Header)]
    if not headers:
        raise unreadable(outcomes)
    channels = channels or max(header.channels for header in headers)
    if size:
        return size, size, channels
    sizes = sorted({(header.height, header.width) for header in headers})
    if len(sizes) > 1:
        found = _some([f"{height} x {width}" for height, width in sizes])
        raise errors.InputError(
            f"{name}: expected image_size, or images of one size; found heights x widths {found}"
        )
    return *sizes[0], channels


def _map(function: Callable[[_T], object], values: Sequence[_T]) -> list[object]:
    """Calls a function in several threads; an unreadable file's outcome is its error."""

    def outcome(value: _T) -> object:
        try:
            return function(value)
        except image_file.UnreadableError as error:
            return error

    workers = min(8, os.cpu_count() or 1)
    with image_file.without_warnings(), concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(outcome, values))


def _unreadable(
    paths: Sequence[pathlib.Path], outcomes: Sequence[object], *, folder: pathlib.Path, name: str
) -> errors.InputError:
    return errors.InputError(
        f"{name}: expected readable images (--skip-bad leaves others out), "
        f"{_name_bad(paths, outcomes, folder=folder)}"
    )


def _name_bad(paths: Sequence[pathlib.Path], outcomes: Sequence[object], *, folder: pathlib.Path) -> str:
    bad = [
        f"{path.relative_to(folder).as_posix()} ({outcome.reason})"
        for path, outcome in zip(paths, outcomes, strict=True)
        if isinstance(outcome, image_file.UnreadableError)
    ]
    return f"{len(bad)} of {len(paths)} cannot be read: {_some(bad)}"


def _some(texts: Sequence[str]) -> str:
    """Joins up to ten texts and says how many more there are."""
    named = ", ".join(texts[:_NAMED])
    return named if len(texts) <= _NAMED else f"{named} and {len(texts) - _NAMED} more"
