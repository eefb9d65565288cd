"""What is done to reals and fakes before they are scored."""

from collections.abc import Iterator, Mapping

import numpy as np

from dcgan.detector.delivery import named_deliveries
from dcgan.detector.fakes import histogram_matching

MATCHED = {
    "histogram-matched": histogram_matching.match_histograms,
    "histogram-matched one by one": histogram_matching.match_histograms_individually,
}
"""Checks for a shortcut: only fakes change, and get the pixel values of reals."""

_REALS = "reals"


def apply_each(
    reals: np.ndarray, fakes: Mapping[str, np.ndarray], *, seed: int = 0
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Applies each condition in turn, a delivery to both classes alike.

    Args:
        reals: Shape (count, height, width, channels), uint8.
        fakes: The same of fakes, by generator.
        seed: Seed of deliveries and histogram matching. Defaults to 0.

    Yields:
        The condition's name and the images: "reals", and fakes by generator.
    """
    groups = {_REALS: reals, **fakes}
    ends = np.cumsum([len(images) for images in groups.values()])[:-1]
    together = np.concatenate(list(groups.values()))
    for name, delivered in named_deliveries.deliver_each(together, seed=seed):
        yield name, dict(zip(groups, np.split(delivered, ends), strict=True))
    for name, match in MATCHED.items():
        matched = {generator: match(images, reals, seed=seed) for generator, images in fakes.items()}
        yield name, {_REALS: reals, **matched}
