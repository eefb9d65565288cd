"""What a detector has to beat, besides the discriminator as it is: a plain network, a histogram."""

from collections.abc import Callable

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dcgan import images as pixels
from dcgan.detector import training_batches
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_model import Detector
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.fit_progress import FitProgress, Progress, ignore

Scorer = Callable[[np.ndarray], np.ndarray]
"""Maps uint8 images to scores, higher for fakes."""

_BINS = 64
_HISTOGRAMS = 20_000
_LEARNING_RATE = 1e-3


def fit_baselines(
    detector: Detector,
    reals: np.ndarray,
    pool: FakePool,
    *,
    config: DetectorConfig,
    progress: Progress = ignore,
) -> dict[str, Scorer]:
    """Fits every baseline on the detector's own reals and fakes.

    Args:
        detector: The detector.
        reals: Shape (images, height, width, channels), uint8.
        pool: The fakes.
        config: The detector's configuration.
        progress: Called after each training step. Defaults to nothing.

    Returns:
        Scorers by name.
    """
    histogram = histogram_model(reals, pool)
    callback = FitProgress(progress, "baselines")
    network = network_from_scratch(detector, reals, pool, config=config, callback=callback)
    return {"same network from scratch": network, "pixel histogram": histogram}


def network_from_scratch(
    detector: Detector,
    reals: np.ndarray,
    pool: FakePool,
    *,
    config: DetectorConfig,
    callback: keras.callbacks.Callback,
) -> Scorer:
    """Trains the discriminator's network anew, on the same reals and fakes as the detector.

    Args:
        detector: See `fit_baselines`; only the shape of its discriminator is taken.
        reals: See `fit_baselines`.
        pool: See `fit_baselines`.
        config: See `fit_baselines`.
        callback: Called by `fit`.
    """
    keras.utils.set_random_seed(config.seed)
    backbone = detector.backbone
    network = keras.models.clone_model(keras.Model(backbone.inputs, backbone.outputs[0]))
    for layer in network.layers:
        layer.trainable = True
    rate = keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, config.steps)
    network.compile(keras.optimizers.Adam(rate), keras.losses.BinaryCrossentropy(from_logits=True))
    network.fit(
        training_batches.training_batches(reals, pool, batch_size=config.batch_size, seed=config.seed),
        steps_per_epoch=config.steps,
        callbacks=[callback],
        verbose=0,
        shuffle=False,
    )
    return lambda images: network.predict(pixels.to_float(images), batch_size=256, verbose=0)[:, 0]


def histogram_model(reals: np.ndarray, pool: FakePool, *, seed: int = 0) -> Scorer:
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


def _some(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return images[rng.choice(len(images), min(len(images), _HISTOGRAMS), replace=False)]
