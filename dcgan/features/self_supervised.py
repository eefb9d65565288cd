"""Training feature extractors on images without labels."""

import keras
import numpy as np
import tensorflow as tf

from dcgan.data import pipeline
from dcgan.features import feature_classifier, feature_training, keras_extractor
from dcgan.features.feature_extractor import FeatureExtractor
from dcgan.features.keras_extractor import KerasExtractor

_NOISE = 0.2
_PEAK_RATE = 2e-3
_STRIDE = 2
_SCALE = _STRIDE**2
_MEASURED = 2_000
_SMALLEST = 1e-6


def learn(
    images: np.ndarray, *, name: str, trained_on: str, steps: int, batch_size: int = 128, seed: int = 0
) -> FeatureExtractor:
    """Learns features from images without labels.

    One half of the features is the bottleneck of a denoiser, which has to know what an image shows to
    paint it again, but does not see noise or a grid. The other half is that of a network before any
    training, which sees these. Over the images, the learned ones have a standard deviation of 1 each,
    the others of 1 on average, so that both halves count the same.

    Args:
        images: Shape (count, size, size, channels), uint8, 16 to 256 pixels, with 1 or 3 channels.
        name: What the extractor is called in reports.
        trained_on: What `images` are, for the record.
        steps: Steps of learning.
        batch_size: Images a step. Defaults to 128.
        seed: Seed of the initial weights, the order and the noise. Defaults to 0.

    Returns:
        The extractor, which has 128 features and knows no classes.

    Reference:
        Vincent et al. (2010), Stacked Denoising Autoencoders.
    """
    learning = _body(images.shape[1:], seed=seed)
    denoiser = keras.Model(learning.inputs, _paint(learning.output, images.shape[1:], seed=seed))
    schedule = feature_training.make_schedule(steps, peak=_PEAK_RATE)
    denoiser.compile(optimizer=keras.optimizers.Adam(schedule), loss="mse")
    batches = _batches(images, batch_size=batch_size, seed=seed)
    denoiser.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
    rows = np.random.default_rng(seed).permutation(len(images))[:_MEASURED]
    fixed = _body(images.shape[1:], seed=seed + 1)
    spread = _spread(fixed, images[rows])
    # Each random feature keeps its share of the spread: those that hardly vary say little.
    units = (
        _spread(learning, images[rows]),
        np.full_like(spread, np.sqrt(np.mean(spread**2))),
    )
    image = keras.Input(images.shape[1:], name="image")
    halves = [
        keras.layers.Normalization(mean=np.zeros_like(unit), variance=unit**2)(body(image))
        for body, unit in zip((learning, fixed), units, strict=True)
    ]
    model = keras.Model(image, keras.layers.Concatenate()(halves), name="extractor")
    return keras_extractor.extractor_from_model(model, name=name, trained_on=trained_on)


def _body(image_shape: tuple[int, int, int], *, seed: int) -> keras.Model:
    """Returns a classifier's network up to its features."""
    classifier = feature_classifier.build_classifier(image_shape, 2, seed=seed)
    return keras.Model(classifier.inputs, classifier.get_layer("features").output)


def _paint(
    features: keras.KerasTensor, image_shape: tuple[int, int, int], *, seed: int
) -> keras.KerasTensor:
    """Returns the image that two transposed convolutions paint from features."""
    seeds = iter(range(1000 * seed + 500, 1000 * (seed + 1)))
    size, _, channels = image_shape
    grid = -(-size // _SCALE)

    def initial() -> keras.initializers.Initializer:
        return keras.initializers.GlorotUniform(seed=next(seeds))

    width = feature_classifier.FEATURE_DIM
    x = keras.layers.Dense(grid * grid * width, activation="relu", kernel_initializer=initial())(
        features
    )
    x = keras.layers.Reshape((grid, grid, width))(x)
    up = {"strides": _STRIDE, "padding": "same"}
    x = keras.layers.Conv2DTranspose(
        width // 2, 4, activation="relu", kernel_initializer=initial(), **up
    )(x)
    x = keras.layers.Conv2DTranspose(channels, 4, kernel_initializer=initial(), **up)(x)
    return keras.layers.CenterCrop(size, size)(x)


def _spread(body: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns the standard deviation of each feature over images."""
    return np.maximum(KerasExtractor(body)(images).features.std(axis=0), _SMALLEST)


def _batches(images: np.ndarray, *, batch_size: int, seed: int) -> tf.data.Dataset:
    """Returns endless shuffled batches of noisy images and of the same without noise."""
    pixels = tf.constant(images)

    def prepare(step: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        clean = tf.cast(tf.gather(pixels, rows), tf.float32) / 127.5 - 1.0
        noise = tf.random.stateless_normal(
            tf.shape(clean), tf.stack([tf.constant(seed, tf.int64), step]), stddev=_NOISE
        )
        return clean + noise, clean

    # Row numbers are shuffled, not images, of which a buffer would hold a second copy.
    rows = tf.data.Dataset.range(len(images)).shuffle(len(images), seed=seed)
    numbered = tf.data.Dataset.zip(tf.data.Dataset.counter(), rows.repeat().batch(batch_size))
    return pipeline.without_autotuning(numbered.map(prepare).prefetch(2))
