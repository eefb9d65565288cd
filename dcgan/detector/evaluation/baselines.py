"""What a detector has to beat, besides the discriminator as it is: a histogram."""

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dcgan.data.indexed_images import Images
from dcgan.detector.fakes.fake_pool import FakePool

Scorer = Callable[[np.ndarray], np.ndarray]
"""Maps uint8 images to scores, higher for fakes."""

_BINS = 64
_HISTOGRAMS = 20_000


def histogram_model(reals: Images, pool: FakePool, *, seed: int = 0) -> Scorer:
    """Fits a logistic regression on each image's histogram of 64 bins.

    Where it does well, pixel values alone give the fakes away, and a good detector proves nothing.

    Args:
        reals: Shape (images, height, width, channels), uint8.
        pool: The fakes.
        seed: Seed for the choice of reals and fakes. Defaults to 0.
    """
    rng = np.random.default_rng(seed)
    parts = [_histograms(_some(reals, rng)), _histograms(_some(pool.images, rng))]
    labels = np.repeat([0, 1], [len(part) for part in parts])
    regression = LogisticRegression(class_weight="balanced", max_iter=1000)
    model = make_pipeline(StandardScaler(), regression).fit(np.concatenate(parts), labels)
    return lambda images: model.decision_function(_histograms(images))


def _histograms(images: np.ndarray) -> np.ndarray:
    bins = (images.reshape(len(images), -1) // (256 // _BINS)).astype(np.int64)
    bins += _BINS * np.arange(len(images))[:, np.newaxis]
    counts = np.bincount(bins.ravel(), minlength=_BINS * len(images))
    return counts.reshape(len(images), _BINS) / bins.shape[1]


def _some(images: Images, rng: np.random.Generator) -> np.ndarray:
    return images[rng.choice(len(images), min(len(images), _HISTOGRAMS), replace=False)]
