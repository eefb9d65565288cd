"""Training feature extractors on labelled images."""

import dataclasses
import logging
import os
import pathlib
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from dcgan import data
from dcgan.data import partition
from dcgan.data.batching import pipeline
from dcgan.data.indexed_images import Images
from dcgan.errors import InputError
from dcgan.features import affine_augmentation, feature_classifier, keras_extractor, loading
from dcgan.features.feature_extractor import FeatureExtractor
from dcgan.system import keras_limits

_PEAK_RATE = 4e-3
_WARM_UP = 0.1
_LABELLED = (
    "a TensorFlow Datasets set with labels, a folder with one sub-folder a class, "
    "or IDX files with labels"
)


def fit_extractor(
    images: Images,
    labels: np.ndarray,
    *,
    name: str,
    trained_on: str,
    epochs: int = 12,
    batch_size: int = 128,
    seed: int = 0,
    verbose: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> FeatureExtractor:
    """Trains a classifier on labelled images and makes a feature extractor of it.

    Each batch is turned, zoomed, sheared and shifted a little, never flipped. The learning rate rises
    for a tenth of the steps and then falls to zero along a cosine. Train the extractor on other images
    than it will compare.

    Args:
        images: Shape (count, height, width, channels), uint8, square of 16 to 256 pixels, with 1
            or 3 channels.
        labels: Shape (count,), int, class numbers from 0.
        name: What the extractor is called in reports.
        trained_on: The data and split of `images`, such as "mnist:train", for the record.
        epochs: Passes over the images. Defaults to 12.
        batch_size: Images a step. Defaults to 128.
        seed: Seed of the initial weights, the order and the variations. Defaults to 0.
        verbose: As in `keras.Model.fit`. Defaults to 0.
        callbacks: Keras callbacks. Defaults to none.

    Returns:
        The extractor, which knows the classes and works at once.

    Raises:
        ValueError: If the images or labels are not such.

    Example:
        >>> extractor = dcgan.features.fit_extractor(
        ...     images, labels, name="digits", trained_on="mnist:test", epochs=2
        ... )
        >>> extractor.embed(images).features.shape
        (1000, 64)

    Reference:
        Loshchilov and Hutter (2017), SGDR: the cosine schedule.
    """
    _check(images, labels)
    classes = int(labels.max()) + 1
    _, height, width, channels = images.shape
    classifier = feature_classifier.build_classifier((height, width, channels), classes, seed=seed)
    steps = max(1, len(images) // batch_size)
    # The loss is taken on logits, which is steadier than on probabilities.
    trained = keras.Model(classifier.inputs, classifier.get_layer("logits").output)
    trained.compile(
        optimizer=keras.optimizers.Adam(_schedule(steps * epochs)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    batches = _batches(images, labels, batch_size=batch_size, seed=seed)
    trained.fit(
        batches,
        epochs=epochs,
        steps_per_epoch=steps,
        shuffle=False,
        verbose=verbose,
        callbacks=list(callbacks),
    )
    return keras_extractor.extractor_from_model(classifier, name=name, trained_on=trained_on)


def fit_extractor_file(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    split: str = "train",
    image_size: int | None = None,
    channels: int | None = None,
    epochs: int = 12,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> FeatureExtractor:
    """Trains a feature extractor on labelled data, measures it on the test split and saves it.

    Args:
        source: As for `dcgan.load_images`, with labels.
        out: The ".keras" file to write; its name without the suffix becomes the extractor's.
        split: The images to learn from, without the test images, which the extractor is measured on.
            Defaults to "train".
        image_size: Pixels a side, those of the runs to be measured. Defaults to the source's own.
        channels: 1 for grey, 3 for RGB, likewise. Defaults to the source's own.
        epochs: Passes over the images. Defaults to 12.
        seed: Seed of the initial weights, the order and the variations. Defaults to 0.
        callbacks: Keras callbacks. Defaults to none.

    Returns:
        The extractor, with its accuracy on the test split.

    Raises:
        InputError: If the data have no labels or are not square images of 16 to 256 pixels, the
            split holds test images, or the file cannot be written.

    Example:
        >>> extractor = dcgan.features.fit_extractor_file(
        ...     "mnist", "digits.keras", split="train[:1000]", epochs=2
        ... )
        >>> 0 <= extractor.accuracy <= 1
        True
    """
    path = _prepare(out)
    keras_limits.refuse("the training of an extractor")
    train = _load(source, split, image_size, channels)
    test = _load(source, "test", image_size, channels)
    _check_disjoint(train, test)
    try:
        extractor = fit_extractor(
            train.images,
            np.asarray(train.labels),
            name=path.stem,
            trained_on=f"{train.name}:{split}",
            epochs=epochs,
            seed=seed,
            callbacks=callbacks,
        )
    except ValueError as error:
        raise InputError(f"{source}: {error}") from error
    accuracy = extractor.measure_accuracy(test.images, np.asarray(test.labels))
    extractor = dataclasses.replace(extractor, accuracy=accuracy)
    try:
        loading.save(extractor, path)
    except OSError as error:
        raise InputError(f"{path}: expected a file to write ({error})") from None
    return extractor


def _check(images: Images, labels: np.ndarray) -> None:
    shape = images.shape
    square = len(shape) == 4 and shape[1] == shape[2] and 16 <= shape[1] <= 256
    if not square or shape[3] not in (1, 3) or images.dtype != np.uint8:
        raise ValueError(
            "Expected uint8 images of shape (count, size, size, 1 or 3), size 16 to 256. "
            f"Received: shape={shape}, dtype={images.dtype}"
        )
    if labels.shape != shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"Expected one integer label an image, shape {shape[:1]}. "
            f"Received: shape={labels.shape}, dtype={labels.dtype}"
        )
    if not len(labels) or labels.min() < 0 or labels.max() < 1:
        raise ValueError(f"Expected labels of two classes or more, from 0. Received: {labels}")


def _schedule(steps: int) -> keras.optimizers.schedules.CosineDecay:
    rising = max(1, int(_WARM_UP * steps))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rising), warmup_target=_PEAK_RATE, warmup_steps=rising
    )


def _batches(images: Images, labels: np.ndarray, *, batch_size: int, seed: int) -> tf.data.Dataset:
    """Returns endless shuffled batches of varied float32 images and their labels."""
    numbers = tf.constant(labels)

    def prepare(step: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        floats = pipeline.gather(images, rows)
        varied = affine_augmentation.vary(floats, seed=tf.stack([tf.constant(seed, tf.int64), step]))
        return varied, tf.gather(numbers, rows)

    # Row numbers are shuffled, not images, of which a buffer would hold a second copy.
    rows = tf.data.Dataset.range(len(images)).shuffle(len(images), seed=seed)
    batches = rows.repeat().batch(batch_size)
    numbered = tf.data.Dataset.zip(tf.data.Dataset.counter(), batches)
    return pipeline.without_autotuning(numbered.map(prepare).prefetch(2))


def _check_disjoint(train: data.ImageSet, test: data.ImageSet) -> None:
    shared = np.isin(train.positions, test.positions)
    if shared.any():
        raise InputError(
            f"split {train.split!r}: expected one without test images, which the extractor is measured "
            f"on; {np.count_nonzero(shared):,} of its {len(shared):,} images are"
        )
    if equal := partition.find_equal(test, train):
        note = partition.describe_equal(equal, len(test.images))
        logging.getLogger("dcgan").warning("%s: %s", train.name, note)


def _prepare(out: str | os.PathLike[str]) -> pathlib.Path:
    """Makes sure before hours of work that the result has a place."""
    path = pathlib.Path(out)
    if path.suffix != ".keras":
        raise InputError(f"{path}: expected the name of a .keras file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: expected a file to write ({error})") from None
    return path


def _load(
    source: str | os.PathLike[str], split: str, image_size: int | None, channels: int | None
) -> data.ImageSet:
    loaded = data.load_images(source, split=split, image_size=image_size, channels=channels)
    if loaded.labels is None:
        raise InputError(f"{source}: expected labelled images: {_LABELLED}")
    return loaded
