"""The deliveries that have names: thresholds hold under them, evaluations report each."""

import concurrent.futures
import functools
from collections.abc import Iterator, Sequence

import numpy as np

from dcgan.detector.delivery import deliveries
from dcgan.detector.delivery.deliveries import FILTERS, Delivery, Step, chain

_HALF, _PARTS, _DOUBLE = ("1/2", 0.5), ("3/4", 0.75), ("2x", 2.0)


def _set(step: Step, **values: object) -> Step:
    return functools.partial(step, **values)


def _rescaled() -> dict[str, Delivery]:
    """Each factor by each filter; to twice the size and back by nearest or box changes nothing."""
    return {
        f"{name} {filter_name}": chain(_set(deliveries.rescale, factor=factor, method=method))
        for name, factor in (_HALF, _PARTS, _DOUBLE)
        for filter_name, method in FILTERS.items()
        if name != "2x" or filter_name not in ("nearest", "box")
    }


def _chained() -> dict[str, Delivery]:
    """Encoded, scaled and encoded again."""
    encode = _set(deliveries.jpeg, quality=75)
    double = _set(deliveries.rescale, factor=2.0, method=FILTERS["bicubic"])
    parts = _set(deliveries.rescale, factor=0.75, method=FILTERS["lanczos"])
    near = _set(deliveries.rescale, factor=0.75, method=FILTERS["bilinear"])
    turned = _set(deliveries.crop, least=0.85, most=0.95)
    return {
        "jpeg-2x-jpeg": chain(encode, double, encode),
        "jpeg-3/4-jpeg": chain(encode, parts, encode),
        "crop-jpeg-3/4-jpeg": chain(turned, encode, near, _set(deliveries.jpeg, quality=85)),
    }


NAMED: dict[str, Delivery] = {
    "as they are": chain(),
    "+-1 level": chain(deliveries.jitter),
    "shift 1 edge": chain(_set(deliveries.shift, most=1, edge=True)),
    "shift 3 edge": chain(_set(deliveries.shift, edge=True)),
    "shift 3 background": chain(_set(deliveries.shift, edge=False)),
    "crop 90": chain(_set(deliveries.crop, least=0.9, most=0.9)),
    "crop 80 to 100": chain(deliveries.crop),
    "rotate 5": chain(deliveries.rotate),
    "jpeg 95": chain(_set(deliveries.jpeg, quality=95)),
    "jpeg 75": chain(_set(deliveries.jpeg, quality=75)),
    "jpeg 50": chain(_set(deliveries.jpeg, quality=50)),
    "jpeg 40": chain(_set(deliveries.jpeg, quality=40)),
    "webp 75": chain(_set(deliveries.webp, quality=75)),
    **_rescaled(),
    **_chained(),
    "contrast 0.85": chain(_set(deliveries.contrast, factor=0.85)),
    "contrast 1.15": chain(_set(deliveries.contrast, factor=1.15)),
    "brightness 0.85": chain(_set(deliveries.brightness, factor=0.85)),
    "brightness 1.15": chain(_set(deliveries.brightness, factor=1.15)),
    "blur": chain(_set(deliveries.blur, sigma=0.5)),
    "noise": chain(_set(deliveries.noise, deviation=4.0)),
}
"""By name: from images, uint8, and a seed to the same shape and dtype."""


def deliver_each(
    images: np.ndarray, names: Sequence[str] | None = None, *, seed: int = 0
) -> Iterator[tuple[str, np.ndarray]]:
    """Delivers images in each named way, one delivery ahead of the one being used.

    Args:
        images: Shape (count, height, width, channels), uint8.
        names: Keys of `NAMED`. Defaults to all.
        seed: Seed of the first delivery; each further one adds 1. Defaults to 0.

    Yields:
        The name and the delivered images.
    """
    names = list(NAMED) if names is None else names
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        jobs = [(name, functools.partial(NAMED[name], images, seed + i)) for i, name in enumerate(names)]
        running = [thread.submit(job) for _, job in jobs[:1]]
        for number, (name, _) in enumerate(jobs):
            delivered = running.pop().result()
            running = [thread.submit(job) for _, job in jobs[number + 1 : number + 2]]
            yield name, delivered
