"""Training a feature extractor on labelled images."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dcgan.features.feature_extractor import FeatureExtractor

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

_PEAK_RATE = 4e-3
_WARM_UP = 0.1


def fit_extractor(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    name: str,
    trained_on: str,
    epochs: int = 12,
    batch_size: int = 128,
    seed: int = 0,
    verbose: int = 0,
    callbacks: Sequence["keras.callbacks.Callback"] = (),
) -> FeatureExtractor:
    """Trains a classifier on labelled images and makes a feature extractor of it.

    Each batch is turned, zoomed, sheared and shifted a little, never flipped. The learning rate
    rises for a tenth of the steps and then falls to zero along a cosine. Train it on one
    split and compare generators with another: it must not have seen the images of the comparison.

    Args:
        images: Shape (count, height, width, channels), uint8, square of 28 to 128 pixels, with 1
            or 3 channels.
        labels: Shape (count,), int, class numbers from 0; the largest sets the number of classes.
        name: What the extractor is called in reports.
        trained_on: The data and split that `images` are, such as "mnist:train"; it is recorded.
        epochs: Passes over the images. Defaults to 12.
        batch_size: Images a step. Defaults to 128.
        seed: Seed of the initial weights, the order and the variations. Defaults to 0.
        verbose: How much Keras prints: 0 nothing, 1 a bar, 2 a line an epoch. Defaults to 0.
        callbacks: Called as it learns. Defaults to none.

    Returns:
        The extractor, which knows the classes and works at once.

    Raises:
        ValueError: If the images or labels are not such.

    Example:
        >>> extractor = fit_extractor(images, labels, name="shapes", trained_on="shapes:train")
        >>> extractor.embed(other_images).features.shape
        (1000, 64)

    Reference:
        Loshchilov and Hutter (2017), SGDR: the cosine schedule.
    """
    _check(images, labels)
    import keras

    from dcgan.features import feature_classifier, keras_features

    classes = int(labels.max()) + 1
    classifier = feature_classifier.build_classifier(images.shape[1:], classes, seed=seed)
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
    return keras_features.extractor_from_model(classifier, name=name, trained_on=trained_on)


def _check(images: np.ndarray, labels: np.ndarray) -> None:
    shape = images.shape
    square = len(shape) == 4 and shape[1] == shape[2] and 28 <= shape[1] <= 128
    if not square or shape[3] not in (1, 3) or images.dtype != np.uint8:
        raise ValueError(
            "Expected uint8 images of shape (count, size, size, 1 or 3), size 28 to 128. "
            f"Received: shape={shape}, dtype={images.dtype}"
        )
    if labels.shape != shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"Expected one integer label an image, shape {shape[:1]}. "
            f"Received: shape={labels.shape}, dtype={labels.dtype}"
        )
    if not len(labels) or labels.min() < 0 or labels.max() < 1:
        raise ValueError(f"Expected labels of two classes or more, from 0. Received: {labels}")


def _schedule(steps: int) -> "keras.optimizers.schedules.CosineDecay":
    import keras

    rising = max(1, int(_WARM_UP * steps))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rising), warmup_target=_PEAK_RATE, warmup_steps=rising
    )


def _batches(images: np.ndarray, labels: np.ndarray, *, batch_size: int, seed: int) -> "tf.data.Dataset":
    """Returns endless shuffled batches of varied float32 images and their labels."""
    import tensorflow as tf

    from dcgan.data import pipeline
    from dcgan.features import affine_augmentation

    pixels, numbers = tf.constant(images), tf.constant(labels)

    def prepare(step: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        floats = tf.cast(tf.gather(pixels, rows), tf.float32) / 127.5 - 1.0
        varied = affine_augmentation.vary(floats, seed=tf.stack([tf.constant(seed, tf.int64), step]))
        return varied, tf.gather(numbers, rows)

    # Row numbers are shuffled, not images, of which a buffer would hold a second copy.
    rows = tf.data.Dataset.range(len(images)).shuffle(len(images), seed=seed)
    batches = rows.repeat().batch(batch_size)
    numbered = tf.data.Dataset.zip(tf.data.Dataset.counter(), batches)
    return pipeline.without_autotuning(numbered.map(prepare).prefetch(2))
