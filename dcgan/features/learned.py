"""A feature extractor learned from the labelled images that a run trains on."""

import itertools
import os
import pathlib

import keras
import numpy as np

from dcgan.data import remarks
from dcgan.data.image_set import ImageSet
from dcgan.errors import InputError
from dcgan.features import feature_training, loading, random_extractor
from dcgan.features.feature_extractor import FeatureExtractor
from dcgan.features.statistics_cache import fingerprint
from dcgan.system import progress

NAME = "learned"
STEPS = 450
"""Steps of learning, of 128 images each; for images above 32 pixels fewer, as these cost more."""
FEWEST = 500
"""With fewer images nothing is learned."""
PART = "learning features"
"""What progress calls it."""
_FEWEST_OF_A_CLASS = 20
_BATCH = 128
_FULL_SIZE = 32
_SEED = 0


def load_learned(
    images: ImageSet, *, cache_dir: str | os.PathLike[str] | None = None
) -> FeatureExtractor:
    """Learns an extractor from images, or reads the one that an earlier call learned from them.

    Labels of two classes or more teach a classifier. That takes the same number of steps whatever the
    number of images, and has the same result each time; on one core about a minute at 32 pixels, and
    twice as long for twice the side.

    Args:
        images: The images that a run trains on, without those held out.
        cache_dir: Directory to keep the extractor in. Defaults to None: it is not kept.

    Returns:
        The extractor; the random one for images without such labels, and, with a warning, for fewer
        than 500.
    """
    count, classes = len(images.images), _classes(images)
    if classes is None:
        return random_extractor.load_random()
    if count < FEWEST:
        remarks.say(
            f"{images.name}: {count} images are too few to learn features from, which takes {FEWEST}: "
            "samples are measured in random features"
        )
        return random_extractor.load_random()
    if cache_dir is None:
        return _learn(images, classes)
    limits = (keras.config.max_epochs(), keras.config.max_steps_per_epoch())
    key = fingerprint(images.digest, classes, _count_steps(images), _SEED, limits)
    path = pathlib.Path(cache_dir) / f"features-{key}.keras"
    # What is damaged is learned again, with the same result.
    if path.is_file() and path.with_suffix(".json").is_file():
        try:
            return loading.load_file(path)
        except InputError as error:
            remarks.say(f"{error}; it is learned again")
    extractor = _learn(images, classes)
    loading.save(extractor, path)
    return extractor


def _learn(images: ImageSet, classes: np.ndarray) -> FeatureExtractor:
    count, name = len(images.images), images.name
    remarks.say(f"{name}: learning features to measure samples by")
    steps = _count_steps(images)
    rows = np.random.default_rng(_SEED).permutation(count)[: steps * _BATCH]
    epochs = max(1, steps * _BATCH // len(rows))
    return feature_training.fit_extractor(
        images.take(rows).images,
        classes[rows],
        name=NAME,
        trained_on=f"{name}:{count:,} images that the run trains on, with their labels",
        epochs=epochs,
        batch_size=_BATCH,
        seed=_SEED,
        callbacks=[_tell(epochs * (len(rows) // _BATCH))],
    )


def _tell(steps: int) -> keras.callbacks.Callback:
    """Tells who listens to `dcgan.system.progress` how many of the steps are done."""
    done = itertools.count(1)
    return keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: progress.report(PART, next(done) / steps)
    )


def _count_steps(images: ImageSet) -> int:
    return max(1, STEPS * _FULL_SIZE // max(_FULL_SIZE, images.images.shape[1]))


def _classes(images: ImageSet) -> np.ndarray | None:
    """Returns the labels if they number two classes or more, with enough images of each."""
    labels = images.labels
    if labels is None or labels.min() < 0 or labels.min() == labels.max():
        return None
    return labels if (labels.max() + 1) * _FEWEST_OF_A_CLASS <= len(labels) else None
