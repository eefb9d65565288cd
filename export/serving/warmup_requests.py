"""Requests that the warm-up file holds: every signature, every format, one image and several."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from export.graph import decoding
from export.serving import warmup

_BATCHES = (1, 8)
_SIZE = 48


def for_scoring_model(model: str, image_shape: tuple[int, int, int]) -> Iterator[bytes]:
    """Yields warm-up records for the signatures of a detector.

    Args:
        model: Its name on the server.
        image_shape: The (height, width, channels) that it takes.
    """
    files = _encoded_images()
    examples = [make_example(file) for file in files]
    for batch in _BATCHES:
        pixels = _noise(batch, *image_shape)
        images = pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)
        yield warmup.predict(model, "predict_uint8", {"images": pixels})
        yield warmup.predict(model, "predict_images", {"images": images})
    for chosen in (slice(0, 1), slice(None)):
        texts = tf.constant(examples[chosen])
        yield warmup.predict(model, "serving_default", {"examples": texts})
        yield warmup.predict(model, "predict_bytes", {"image_bytes": tf.constant(files[chosen])})
        yield warmup.classify(model, "classify", examples[chosen])


def for_generator(model: str, latent_dim: int) -> Iterator[bytes]:
    """Yields warm-up records for a generator's signature.

    Args:
        model: Its name on the server.
        latent_dim: The size of its latents.
    """
    for batch in _BATCHES:
        latents = tf.random.stateless_normal((batch, latent_dim), [0, 0])
        yield warmup.predict(model, "serving_default", {"latents": latents})


def make_example(content: bytes) -> bytes:
    """Encodes a file as `serving_default` and `classify` take it.

    Args:
        content: The file.

    Returns:
        A serialized `tf.Example` with the feature `image_bytes`.
    """
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
    features = tf.train.Features(feature={decoding.FEATURE: feature})
    return tf.train.Example(features=features).SerializeToString()


def _encoded_images() -> list[bytes]:
    grey, colour = _noise(1, _SIZE, _SIZE, 1)[0], _noise(1, _SIZE, _SIZE, 3)[0]
    encoded = [tf.io.encode_png(grey), tf.io.encode_jpeg(grey)]
    encoded += [tf.io.encode_png(colour), tf.io.encode_jpeg(colour)]
    return [image.numpy() for image in encoded]


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
