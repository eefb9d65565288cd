"""What a detector has to beat: the discriminator as it is, a plain network and a histogram."""

from collections.abc import Callable

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from dcgan import images as pixels
from dcgan.detector import training_batches
from dcgan.detector.fakes.fake_pool import FakePool

Scorer = Callable[[np.ndarray], np.ndarray]
"""From uint8 images to scores, higher for fakes."""

_BINS = 64
_HISTOGRAMS = 20_000


def histogram_model(reals: np.ndarray, pool: FakePool, *, seed: int = 0) -> Scorer:
    """Fits a logistic regression on each image's histogram of 64 bins.

    Where it does well, pixel values alone give the fakes away, and a good figure proves nothing.

    Args:
        reals: Shape (images, height, width, channels), uint8.
        pool: The fakes.
        seed: Of which reals and fakes are used. Defaults to 0.
    """
    rng = np.random.default_rng(seed)
    parts = [_some(reals, rng), _some(pool.images, rng)]
    histograms = np.concatenate([_histograms(part) for part in parts])
    labels = np.repeat([0, 1], [len(part) for part in parts])
    model: Pipeline = make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
    )
    model.fit(histograms, labels)
    return lambda images: model.decision_function(_histograms(images))


def network_from_scratch(
    discriminator: keras.Model,
    reals: np.ndarray,
    pool: FakePool,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> Scorer:
    """Trains the discriminator's network anew, on the same reals and fakes as the detector.

    Args:
        discriminator: Whose shape is taken, not its weights.
        reals: Shape (images, height, width, channels), uint8.
        pool: The fakes.
        steps: Training steps.
        batch_size: Images a step.
        learning_rate: Adam's, falling to 0. Defaults to 1e-3.
        seed: Of weights and batches. Defaults to 0.
    """
    keras.utils.set_random_seed(seed)
    network = keras.models.clone_model(discriminator)
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    network.compile(keras.optimizers.Adam(rate), keras.losses.BinaryCrossentropy(from_logits=True))
    dataset = training_batches.training_batches(reals, pool, batch_size=batch_size, seed=seed)
    network.fit(dataset, steps_per_epoch=steps, verbose=0, shuffle=False)
    return lambda images: _predict(network, images)


def raw_discriminator(discriminator: keras.Model) -> Scorer:
    """Takes the run's discriminator as it is after its last step."""
    return lambda images: -_predict(discriminator, images)


def _predict(network: keras.Model, images: np.ndarray) -> np.ndarray:
    return network.predict(pixels.to_float(images), batch_size=256, verbose=0)[:, 0]


def _histograms(images: np.ndarray) -> np.ndarray:
    bins = (images.reshape(len(images), -1) // (256 // _BINS)).astype(np.int64)
    bins += _BINS * np.arange(len(images))[:, np.newaxis]
    counts = np.bincount(bins.ravel(), minlength=_BINS * len(images))
    return counts.reshape(len(images), _BINS) / bins.shape[1]


def _some(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return images[rng.choice(len(images), min(len(images), _HISTOGRAMS), replace=False)]
