"""What is done to reals and fakes before they are scored."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from dcgan.detector import corruptions
from dcgan.detector.fakes import histogram_matching

_BATCH = 500

CLEAN = "clean"
HISTOGRAM_MATCHED = "histogram-matched"
MATCHED_INDIVIDUALLY = "histogram-matched one by one"


@dataclasses.dataclass(frozen=True)
class Condition:
    """One way to change images.

    Attributes:
        name: "clean", "histogram-matched", "histogram-matched, jpeg 75" and the like.
        match: Gives fakes the pixel values of reals, see `histogram_matching`; None for nothing.
        corruption: A key of `corruptions.CORRUPTIONS`; None for nothing.
    """

    name: str
    match: Callable[..., np.ndarray] | None = None
    corruption: str | None = None

    def apply(
        self, reals: np.ndarray, fakes: Mapping[str, np.ndarray], *, seed: int
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Returns reals and each generator's fakes as they are to be scored."""
        changed = dict(fakes)
        if self.match:
            changed = {name: self.match(images, reals, seed=seed) for name, images in fakes.items()}
        return corrupt(reals, self.corruption), {
            name: corrupt(images, self.corruption) for name, images in changed.items()
        }


def list_all() -> tuple[Condition, ...]:
    """Returns all conditions, the mildest first: clean, histogram-matched, and also corrupted."""
    match = histogram_matching.match_histograms
    return (
        Condition(CLEAN),
        Condition(HISTOGRAM_MATCHED, match),
        Condition(MATCHED_INDIVIDUALLY, histogram_matching.match_histograms_individually),
        *(Condition(f"{HISTOGRAM_MATCHED}, {name}", match, name) for name in corruptions.CORRUPTIONS),
    )


def corrupt(images: np.ndarray, name: str | None) -> np.ndarray:
    """Applies a corruption to any number of images.

    Args:
        images: Shape (count, height, width, channels), uint8.
        name: A key of `corruptions.CORRUPTIONS`, or None for none.
    """
    if name is None:
        return images
    graph = tf.function(
        corruptions.CORRUPTIONS[name],
        input_signature=[tf.TensorSpec((None, *images.shape[1:]), tf.uint8)],
        autograph=False,
    )
    starts = range(0, len(images), _BATCH)
    return np.concatenate([graph(tf.constant(images[start : start + _BATCH])) for start in starts])
