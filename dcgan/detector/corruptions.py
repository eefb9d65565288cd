"""What happens to images on their way: JPEG, blur, rescaling and noise, on uint8 tensors."""

from collections.abc import Callable

import tensorflow as tf

# Ranges in training: wider than the strengths that a detector is tested under.
_QUALITIES = (50, 96)
_SIGMAS = (0.3, 1.0)
_FACTORS = (0.6, 0.95)
_DEVIATIONS = (1.0, 12.0)


def _jpeg(images: tf.Tensor, quality: tf.Tensor | int) -> tf.Tensor:
    """Encodes and decodes each image, at one quality for all or at one an image."""
    qualities = tf.broadcast_to(tf.cast(quality, tf.int32), tf.shape(images)[:1])

    def encode(pair: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        return tf.image.adjust_jpeg_quality(pair[0], pair[1])

    signature = tf.TensorSpec(images.shape[1:], tf.uint8)
    return tf.map_fn(encode, (images, qualities), fn_output_signature=signature)


def _blur(images: tf.Tensor, sigma: tf.Tensor | float) -> tf.Tensor:
    """Smooths with a Gaussian of up to about 1.5 pixels, edges mirrored."""
    offsets = tf.range(-4, 5, dtype=tf.float32)
    weights = tf.nn.softmax(-0.5 * (offsets / sigma) ** 2)
    channels = images.shape[-1]
    floats = tf.pad(tf.cast(images, tf.float32), [[0, 0], [4, 4], [4, 4], [0, 0]], "REFLECT")
    down = tf.repeat(tf.reshape(weights, (9, 1, 1, 1)), channels, axis=2)
    across = tf.repeat(tf.reshape(weights, (1, 9, 1, 1)), channels, axis=2)
    for kernel in (down, across):
        floats = tf.nn.depthwise_conv2d(floats, kernel, [1, 1, 1, 1], "VALID")
    return _to_uint8(floats)


def _rescale(images: tf.Tensor, factor: tf.Tensor | float) -> tf.Tensor:
    """Scales down and up again, bilinear, with antialiasing on the way down."""
    size = tf.shape(images)[1:3]
    small = tf.cast(tf.round(tf.cast(size, tf.float32) * factor), tf.int32)
    reduced = tf.image.resize(images, tf.maximum(small, 1), antialias=True)
    return _to_uint8(tf.ensure_shape(tf.image.resize(reduced, size), images.shape))


def _noise(images: tf.Tensor, deviation: tf.Tensor | float, *, seed: tf.Tensor | list[int]) -> tf.Tensor:
    """Adds Gaussian noise of so many grey levels to each pixel."""
    drawn = tf.random.stateless_normal(tf.shape(images), seed)
    return _to_uint8(tf.cast(images, tf.float32) + deviation * drawn)


CORRUPTIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "jpeg 95": lambda images: _jpeg(images, 95),
    "jpeg 75": lambda images: _jpeg(images, 75),
    "jpeg 50": lambda images: _jpeg(images, 50),
    "blur 0.6": lambda images: _blur(images, 0.6),
    "rescale 0.75": lambda images: _rescale(images, 0.75),
    "noise 8": lambda images: _noise(images, 8.0, seed=[0, 0]),
}
"""The corruptions that a detector is tested under, by name; uint8 batches to uint8 batches."""


def augment(images: tf.Tensor, *, seed: tf.Tensor) -> tf.Tensor:
    """Corrupts most images of a shuffled batch, each part in its own way and at random strength.

    Of 16 images, two stay as they are, three go through JPEG, three through blur and seven through
    rescaling, which hides most, and one gets noise.

    Args:
        images: Shape (batch, height, width, channels), uint8, in random order.
        seed: Shape (2,), int.

    Returns:
        The same shape and order, uint8.
    """
    count = tf.shape(images)[0]
    plain, encoded, blurred, rescaled, noisy = (
        images[count * start // 16 : count * end // 16]
        for start, end in ((0, 2), (2, 5), (5, 8), (8, 15), (15, 16))
    )
    seeds = tf.random.experimental.stateless_split(seed, 5)
    qualities = tf.random.stateless_uniform(tf.shape(encoded)[:1], seeds[0], *_QUALITIES, tf.int32)
    parts = [
        plain,
        _jpeg(encoded, qualities),
        _blur(blurred, tf.random.stateless_uniform((), seeds[1], *_SIGMAS)),
        _rescale(rescaled, tf.random.stateless_uniform((), seeds[2], *_FACTORS)),
        _noise(noisy, tf.random.stateless_uniform((), seeds[3], *_DEVIATIONS), seed=seeds[4]),
    ]
    return tf.ensure_shape(tf.concat(parts, axis=0), images.shape)


def _to_uint8(floats: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.clip_by_value(tf.round(floats), 0, 255), tf.uint8)
