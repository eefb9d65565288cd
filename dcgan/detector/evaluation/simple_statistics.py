"""What simple statistics of an image tell: where they tell a pool's fakes, the pool was too easy."""

from typing import Any

import numpy as np
from sklearn import metrics, model_selection
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dcgan.data.indexed_images import Images
from dcgan.detector.delivery import deliveries
from dcgan.detector.fakes.fake_pool import FakePool

TOO_EASY = 0.9
"""The AUROC above which a pool is called too easy."""

_IMAGES, _ALONE = 2_000, 600
_FOLDS = 5
_GREY_BINS = 16
_GRADIENT_EDGES = (0, 1, 2, 4, 8, 16, 32, 64, 128, 257)


def measure_pool(reals: Images, pool: FakePool, *, seed: int = 0) -> dict[str, Any]:
    """Measures how much of a pool simple statistics tell.

    Args:
        reals: See `measure`.
        pool: The fakes.
        seed: See `measure`. Defaults to 0.

    Returns:
        `auroc`, `found` and `too_easy` of the whole pool, and `easy_share`: the share of its fakes that
        are of generators which are too easy by themselves.
    """
    whole = measure(reals, pool.images, seed=seed)
    easy = 0
    for generator, count in pool.counts().items():
        alone = pool.images[pool.generators == generator]
        told = count >= _FOLDS and measure(reals, alone, seed=seed, limit=_ALONE)["too_easy"]
        easy += count if told else 0
    return {**whole, "easy_share": easy / len(pool.images)}


def measure(reals: Images, fakes: np.ndarray, *, seed: int = 0, limit: int = _IMAGES) -> dict[str, Any]:
    """Cross-validates a logistic regression on simple statistics of reals and fakes.

    Both come under random chains of deliveries, as a detector sees them. The statistics are each
    image's spectrum by frequency, its gradients and its grey levels.

    Args:
        reals: Shape (count, height, width, channels), uint8.
        fakes: The same of fakes.
        seed: Seed of the choice, the deliveries and the folds. Defaults to 0.
        limit: How many of each are used at most. Defaults to 2,000.

    Returns:
        `auroc`, `found` (the share of fakes found at 1 % false positives) and `too_easy`.
    """
    rng = np.random.default_rng(seed)
    parts = [deliveries.random_chains(_some(images, limit, rng), rng=rng) for images in (reals, fakes)]
    labels = np.repeat([0, 1], [len(part) for part in parts])
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=500)
    )
    folds = model_selection.StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    statistics = np.concatenate([compute(part) for part in parts])
    scores = model_selection.cross_val_predict(
        model, statistics, labels, cv=folds, method="decision_function"
    )
    auroc = float(metrics.roc_auc_score(labels, scores))
    cut = np.quantile(scores[labels == 0], 0.99)
    found = float(np.mean(scores[labels == 1] > cut))
    return {"auroc": auroc, "found": found, "too_easy": auroc > TOO_EASY}


def compute(images: np.ndarray) -> np.ndarray:
    """Returns the statistics of images.

    Args:
        images: Shape (count, height, width, channels), uint8.

    Returns:
        Shape (count, statistics): log power by radius, and the shares of gradients and of grey levels in
        bins, all over all channels.
    """
    levels = _shares(images.reshape(len(images), -1), np.linspace(0, 256, _GREY_BINS + 1))
    signed = images.astype(np.int16)
    steps = [np.abs(np.diff(signed, axis=axis)).reshape(len(images), -1) for axis in (1, 2)]
    gradients = _shares(np.concatenate(steps, axis=1), np.array(_GRADIENT_EDGES))
    return np.concatenate([_spectrum(images), gradients, levels], axis=1)


def _spectrum(images: np.ndarray) -> np.ndarray:
    height, width = images.shape[1:3]
    power = np.abs(np.fft.fft2(images.astype(np.float32), axes=(1, 2))).mean(axis=3) ** 2
    radii = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.fftfreq(width)) * max(height, width)
    rings = np.rint(radii).astype(int).ravel()
    masks = np.eye(rings.max() + 1, dtype=np.float32)[rings]
    return np.log1p(power.reshape(len(images), -1) @ masks / np.maximum(1, masks.sum(axis=0)))


def _shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The share of each row's values in each bin."""
    bins = np.searchsorted(edges, values, side="right") - 1
    count = len(edges) - 1
    offset = bins + count * np.arange(len(values))[:, np.newaxis]
    counts = np.bincount(offset.ravel(), minlength=count * len(values))
    return counts.reshape(len(values), count) / values.shape[1]


def _some(images: Images, limit: int, rng: np.random.Generator) -> np.ndarray:
    return images[rng.permutation(len(images))[:limit]]
