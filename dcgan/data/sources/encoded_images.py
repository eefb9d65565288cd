"""Encoded images of a source, decoded into one array in memory or into a cache."""

import concurrent.futures
import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import PIL.Image

from dcgan import errors
from dcgan.data import image_set, indexed_images, preprocessing, remarks
from dcgan.data.cache import decoding_pool, image_cache
from dcgan.data.cache.origin import Origin, Stamp, stamp
from dcgan.data.decoding import image_file, jpeg_quality
from dcgan.data.decoding.encoded_item import EncodedItem

_NAMED = 10
_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True, eq=False)
class Decoded:
    """Images that were asked for.

    Attributes:
        images: Those that could be read, shape (count, height, width, channels), uint8.
        good: Which of those asked for they are, shape (asked for,), bool.
        labels: The labels that their records have, shape (count,), int64; None if one has none.
        qualities: Their JPEG qualities, see `ImageSet`, shape (count,), uint8.
    """

    images: indexed_images.Images
    good: np.ndarray
    labels: np.ndarray | None
    qualities: np.ndarray | None


class EncodedImages:
    """All encoded images of a source.

    Args:
        items: The images.
        name: The source as given, for messages.
        identity: What tells the source from all others, such as its absolute path.
    """

    def __init__(self, items: Sequence[EncodedItem], *, name: str, identity: str) -> None:
        self._items, self._name, self._identity = items, name, identity

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Their names within the source."""
        return tuple(item.name for item in self._items)

    def load(self, chosen: np.ndarray, request: image_set.Request) -> Decoded:
        """Decodes some of them, or takes them from the source's cache.

        Args:
            chosen: Which of them are wanted, shape (any,), int.
            request: What to load. Without an image size the images must share one; without channels
                they become grey if all are grey, else RGB.

        Raises:
            InputError: If images cannot be read, have several sizes and no size is asked for, or there
                is no room for their cache.
        """
        name = self._name
        wanted = [self._items[row] for row in chosen]
        shape = _shape(wanted, request, name=name)
        origin = Origin(name, self._identity, self._stamps, len(self._items), shape)
        fill = functools.partial(decoding_pool.fill, self._items)
        cached = image_cache.load(origin, fill, wanted=len(wanted), storage=request.storage)
        if cached is None:
            return _decode(wanted, shape, request, name=name)
        good = np.array([int(row) not in cached.bad for row in chosen], bool)
        reasons = [cached.bad.get(int(row)) for row in chosen]
        _judge(wanted, reasons, request, name=name)
        if cached.largest:
            remarks.say_conversion(name, cached.largest, shape)
        rows = chosen[good]
        labels = None if cached.labels is None else cached.labels[rows]
        qualities = None if cached.qualities is None else cached.qualities[rows]
        return Decoded(cached.images.take(rows), good, _all_or_none(labels), qualities)

    @functools.cached_property
    def _stamps(self) -> tuple[Stamp, ...]:
        """One for each file; the names of records begin with their file's."""
        items = self._items
        names = {item.path: item.name.partition(",")[0] if item.length else item.name for item in items}
        return tuple(stamp(path, name) for path, name in names.items())


def _decode(
    items: Sequence[EncodedItem],
    shape: tuple[int, int, int],
    request: image_set.Request,
    *,
    name: str,
) -> Decoded:
    """Decodes into one array.

    Pixels go straight to their place in it: no more than a file for each thread is in memory beside it.
    """
    images, labels = np.empty((len(items), *shape), np.uint8), np.full(len(items), -1)
    qualities = np.zeros(len(items), np.uint8)
    prepare = preprocessing.for_any_size(image_size=request.image_size, channels=shape[-1])
    shapes = set()

    def to_shape(pixels: np.ndarray) -> np.ndarray:
        shapes.add((pixels.shape[0], pixels.shape[1], 1 if pixels.shape[2] < 3 else 3))
        return pixels if pixels.shape == shape else prepare(pixels)

    def read(index: int) -> None:
        def look(image: PIL.Image.Image) -> None:
            qualities[index] = jpeg_quality.read_kept(image, shape)

        content, label = items[index].open()
        images[index] = image_file.decode(content, to_shape, look=look)
        labels[index] = -1 if label is None else label

    reasons = [_reason(outcome) for outcome in _map(read, range(len(items)))]
    _judge(items, reasons, request, name=name)
    largest = max(shapes)[:2]
    remarks.say_conversion(name, (*largest, max(channels for _, _, channels in shapes)), shape)
    good = np.array([reason is None for reason in reasons])
    kept = images if good.all() else images[good]
    return Decoded(kept, good, _all_or_none(labels[good]), qualities[good])


def _shape(
    items: Sequence[EncodedItem], request: image_set.Request, *, name: str
) -> tuple[int, int, int]:
    """Returns the images' height, width and channels; reads the headers only if need be."""
    size, channels = request.image_size, request.channels
    if size and channels:
        return size, size, channels
    outcomes = _map(lambda item: image_file.read_header(item.open()[0]), items)
    headers = [outcome for outcome in outcomes if isinstance(outcome, image_file.Header)]
    if not headers:
        raise _unreadable(items, list(map(_reason, outcomes)), name=name)
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
    """Calls a function in several threads; an unreadable image's outcome is its error."""

    def outcome(value: _T) -> object:
        try:
            return function(value)
        except image_file.UnreadableError as error:
            return error

    workers = min(8, os.cpu_count() or 1)
    with image_file.without_warnings(), concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(outcome, values))


def _reason(outcome: object) -> str | None:
    return outcome.reason if isinstance(outcome, image_file.UnreadableError) else None


def _judge(
    items: Sequence[EncodedItem],
    reasons: Sequence[str | None],
    request: image_set.Request,
    *,
    name: str,
) -> None:
    """Refuses images that cannot be read, or says which are left out."""
    bad = sum(reason is not None for reason in reasons)
    if bad and not (request.skip_bad and bad < len(reasons)):
        raise _unreadable(items, reasons, name=name)
    if bad:
        remarks.say(f"{name}: left out, {_name_bad(items, reasons)}")


def _unreadable(
    items: Sequence[EncodedItem], reasons: Sequence[str | None], *, name: str
) -> errors.InputError:
    return errors.InputError(
        f"{name}: expected readable images (--skip-bad leaves others out), {_name_bad(items, reasons)}"
    )


def _name_bad(items: Sequence[EncodedItem], reasons: Sequence[str | None]) -> str:
    bad = [f"{item.name} ({reason})" for item, reason in zip(items, reasons, strict=True) if reason]
    return f"{len(bad)} of {len(items)} cannot be read: {_some(bad)}"


def _all_or_none(labels: np.ndarray | None) -> np.ndarray | None:
    """Returns labels if every image has one."""
    return None if labels is None or labels.min(initial=0) < 0 else labels.astype(np.int64)


def _some(texts: Sequence[str]) -> str:
    """Joins up to ten texts and says how many more there are."""
    named = ", ".join(texts[:_NAMED])
    return named if len(texts) <= _NAMED else f"{named} and {len(texts) - _NAMED} more"
