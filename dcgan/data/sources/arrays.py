"""Images that are a NumPy array already, in memory or in a `.npy` or `.npz` file.

uint8 is used unchanged. Floats are accepted only where their range tells what they mean: [-1, 1] with
some well below 0, [0, 1], or [0, 255] with some well above 1. Values beyond by at most 5 % of the range,
as a resampler makes, are clipped, which a line says; anything in between is refused.
"""

import functools
import pathlib
from collections.abc import Iterator

import numpy as np

from dcgan import errors
from dcgan import images as pixels
from dcgan.data import image_set, indexed_images, preprocessing, remarks
from dcgan.data.cache import image_cache, writing
from dcgan.data.cache.origin import Origin, stamp
from dcgan.data.sources import splits

SUFFIXES = (".npy", ".npz")

# Up to here a largest value may be an image in [0, 1] that overshoots, or a dark one in [0, 255].
_AMBIGUOUS_MAXIMUM = 16.0
# Down to here a smallest value may be an image in [0, 1] that undershoots, or a bright one in [-1, 1].
_AMBIGUOUS_MINIMUM = -0.5
_BEYOND = 0.05
_BATCH = 256


def load(
    images: np.ndarray,
    request: image_set.Request,
    *,
    name: str,
    labels: np.ndarray | None = None,
) -> image_set.ImageSet:
    """Turns an array into a set of images.

    Args:
        images: Shape (count, height, width) or (count, height, width, 1 or 3); uint8, or float in
            one of the ranges above.
        request: What to load. The channels must be the array's; the images are resized.
        name: The source as given, for the result and for errors.
        labels: Shape (count,), integers. Defaults to None, unlabelled.

    Returns:
        The images of the requested split.

    Raises:
        InputError: If shape, dtype, range or channels are not allowed, or values are not finite.
    """
    images = _with_channels(images, name=name)
    _check_shape(images, request.channels, name=name)
    _check_labels(labels, len(images), name=name)
    chosen = splits.of_undeclared(request.split, len(images), source=name)
    images = _to_uint8(images, name=name)
    shape = images.shape[1:]
    size = request.image_size
    remarks.say_conversion(name, shape, (size or shape[0], size or shape[1], shape[2]))
    return image_set.ImageSet(
        name=name,
        split=request.split,
        images=preprocessing.prepare_array(
            images if request.split == "all" else images[chosen],
            image_size=request.image_size,
            channels=request.channels,
        ),
        labels=None if labels is None else labels[chosen].astype(np.int64),
        positions=chosen,
    )


def load_file(path: pathlib.Path, request: image_set.Request, *, name: str) -> image_set.ImageSet:
    """Loads a `.npy` file, or a `.npz` file with an array `images` and perhaps `labels`.

    Args:
        path: The file. If a `.npz` file has no `images`, its only array of three or four dimensions is
            used.
        request: What to load.
        name: The source as given, for the result and for errors.

    Returns:
        The images, labelled if the file has `labels`.

    Raises:
        InputError: If the file cannot be read or does not hold such an array.
    """
    content = _read(path, name=name)
    if isinstance(content, np.ndarray):
        return _load_mapped(content, path, request, name=name)
    return load(_only_images(content, name=name), request, name=name, labels=content.get("labels"))


def _read(path: pathlib.Path, *, name: str) -> np.ndarray | dict[str, np.ndarray]:
    try:
        content = np.load(path, allow_pickle=False, mmap_mode="r")
        if isinstance(content, np.ndarray):
            return content
        with content:
            return {key: content[key] for key in content.files}
    except Exception as error:  # NumPy raises errors of many types on damaged files.
        raise errors.InputError(
            f"{name}: expected a NumPy array file, cannot be read: {errors.first_line(error)}"
        ) from error


def _load_mapped(
    images: np.ndarray, path: pathlib.Path, request: image_set.Request, *, name: str
) -> image_set.ImageSet:
    """Loads a mapped file into memory, or through a cache where it does not fit."""
    images = _with_channels(images, name=name)
    _check_shape(images, request.channels, name=name)
    chosen = splits.of_undeclared(request.split, len(images), source=name)
    size = request.image_size
    shape = (size or images.shape[1], size or images.shape[2], images.shape[3])
    stamps = (stamp(path, path.name),)
    origin = Origin(name, str(path.absolute()), stamps, len(images), shape)
    fill = functools.partial(_fill, images, request.image_size, name)
    cached = image_cache.load(origin, fill, wanted=len(chosen), storage=request.storage)
    if cached is None:
        # A copy, as the file may change.
        return load(np.array(images), request, name=name)
    remarks.say_conversion(name, images.shape[1:], shape)
    return image_set.ImageSet(name, request.split, cached.images.take(chosen), positions=chosen)


def _fill(
    images: np.ndarray, image_size: int | None, name: str, target: image_cache.Target, start: int
) -> Iterator[image_cache.Chunk]:
    known = _known_range(images, name=name)

    def batches() -> Iterator[tuple[np.ndarray, None]]:
        for first in range(start, len(images), _BATCH):
            levels = _to_levels(np.array(images[first : first + _BATCH]), known)
            yield preprocessing.prepare_array(levels, image_size=image_size, channels=None), None

    return writing.write_batches(batches(), target, start)


def _only_images(arrays: dict[str, np.ndarray], *, name: str) -> np.ndarray:
    if "images" in arrays:
        return arrays["images"]
    shaped = [key for key, array in arrays.items() if array.ndim in (3, 4)]
    if len(shaped) != 1:
        raise errors.InputError(
            f"{name}: expected an array 'images', or one array of shape (count, height, width"
            f"[, channels]); received arrays {', '.join(map(repr, arrays)) or 'none'}"
        )
    return arrays[shaped[0]]


def _with_channels(images: np.ndarray, *, name: str) -> np.ndarray:
    """Adds the axis of channels to grey images that lack it."""
    if images.ndim == 3 and images.shape[-1] in (1, 3):
        raise errors.InputError(
            f"{name}: expected several images, received one of shape {images.shape}; its first axis is "
            "to count them, images[np.newaxis]"
        )
    return images[..., np.newaxis] if images.ndim == 3 else images


def _check_shape(images: np.ndarray, channels: int | None, *, name: str) -> None:
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not images.size:
        raise errors.InputError(
            f"{name}: expected images of shape (count, height, width) or (count, height, width, "
            f"1 or 3), received shape {images.shape}"
        )
    if channels not in (None, images.shape[-1]):
        raise errors.InputError(
            f"{name}: expected {channels} channels, as requested; received {images.shape[-1]}"
        )


def _check_labels(labels: np.ndarray | None, count: int, *, name: str) -> None:
    if labels is None:
        return
    if labels.shape != (count,) or not np.issubdtype(labels.dtype, np.integer):
        raise errors.InputError(
            f"{name}: expected labels as {count} integers, one for each image, "
            f"received {labels.dtype} of shape {labels.shape}"
        )


def _to_uint8(images: np.ndarray, *, name: str) -> np.ndarray:
    return _to_levels(images, _known_range(images, name=name))


def _known_range(images: np.ndarray, *, name: str) -> tuple[int, int] | None:
    """Returns which of the known ranges floats are in or near; None for uint8."""
    if images.dtype == np.uint8:
        return None
    if not np.issubdtype(images.dtype, np.floating):
        raise errors.InputError(f"{name}: expected uint8 or float images, received {images.dtype}")
    batches = list(indexed_images.in_batches(images))
    low = float(np.min([batch.min() for batch in batches]))
    high = float(np.max([batch.max() for batch in batches]))
    if not np.isfinite([low, high]).all():
        raise errors.InputError(f"{name}: expected finite values, received NaN or infinity")
    known = _find_range(low, high)
    if known is None:
        raise errors.InputError(
            f"{name}: expected uint8, or float clearly in [-1, 1], [0, 1] or [0, 255]; "
            f"received {images.dtype} from {low:g} to {high:g}"
        )
    if low < known[0] or high > known[1]:
        remarks.say(
            f"{name}: values from {low:g} to {high:g} are clipped to [{known[0]}, {known[1]}], to which "
            "they are near"
        )
    return known


def _to_levels(images: np.ndarray, known: tuple[int, int] | None) -> np.ndarray:
    """Maps floats of a range to uint8."""
    if known is None:
        return images
    images = np.clip(images, *known)
    if known == (-1, 1):
        return pixels.to_uint8(images)
    return np.rint(images * (255 / known[1])).astype(np.uint8)


def _find_range(low: float, high: float) -> tuple[int, int] | None:
    """Returns which of the known ranges values are in or near, None if that is not clear."""
    if -1 - 2 * _BEYOND <= low <= _AMBIGUOUS_MINIMUM and high <= 1 + 2 * _BEYOND:
        return -1, 1
    if low < -_BEYOND * high:
        return None
    if high <= 1 + _BEYOND:
        return 0, 1
    return (0, 255) if _AMBIGUOUS_MAXIMUM < high <= 255 * (1 + _BEYOND) else None
