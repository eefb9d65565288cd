"""The requests that a server sends itself before a version goes live.

A server reads them from `assets.extra/tf_serving_warmup_requests`, records of `PredictionLog`. They
call every signature with one image and with several. The few messages needed have only fields of
one wire type, so they are encoded here without TF Serving's own package.

Reference:
    - https://www.tensorflow.org/tfx/serving/saved_model_warmup
    - encoding: https://protobuf.dev/programming-guides/encoding
"""

import pathlib
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from export import tf_examples

FILE = "tf_serving_warmup_requests"
_BATCHES = (1, 8)
_SIZE = 48


def write(path: pathlib.Path, records: Iterable[bytes]) -> None:
    """Writes a warm-up file.

    Args:
        path: The file.
        records: Encoded requests, at most 1,000.
    """
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


def for_scoring_model(model: str, image_shape: tuple[int, int, int]) -> Iterator[bytes]:
    """Yields warm-up records for the signatures of a detector.

    Args:
        model: Its name on the server.
        image_shape: The (height, width, channels) that it takes.
    """
    for batch in _BATCHES:
        pixels = _noise(batch, *image_shape)
        images = pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)
        yield predict(model, "predict_uint8", {"images": pixels})
        yield predict(model, "predict_images", {"images": images})
    encoders = (tf.io.encode_png, tf.io.encode_jpeg)
    files = [encode(_noise(_SIZE, _SIZE, c)).numpy() for c in (1, 3) for encode in encoders]
    examples = [tf_examples.make(file) for file in files]
    for count in (1, len(files)):
        yield predict(model, "serving_default", {"examples": tf.constant(examples[:count])})
        yield predict(model, "predict_bytes", {"image_bytes": tf.constant(files[:count])})
        yield classify(model, "classify", examples[:count])


def for_generator(model: str, latent_dim: int, *, classes: int = 0) -> Iterator[bytes]:
    """Yields warm-up records for a generator's signature.

    Args:
        model: Its name on the server.
        latent_dim: The size of its latents.
        classes: How many classes it has. Defaults to 0, unconditional.
    """
    for batch in _BATCHES:
        inputs = {"latents": tf.random.stateless_normal((batch, latent_dim), [0, 0])}
        if classes:
            inputs["labels"] = tf.zeros((batch,), tf.int64)
        yield predict(model, "serving_default", inputs)


def predict(model: str, signature: str, inputs: Mapping[str, np.ndarray | tf.Tensor]) -> bytes:
    """Encodes a Predict request.

    Args:
        model: Its name on the server.
        signature: The signature's name.
        inputs: Tensors by the names that the signature gives them.
    """
    entries = []
    for name, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        entries.append(_field(2, _field(1, name.encode()) + _field(2, tensor)))
    return _field(6, _field(1, _field(1, _model_spec(model, signature)) + b"".join(entries)))


def classify(model: str, signature: str, examples: Iterable[bytes]) -> bytes:
    """Encodes a Classify request.

    Args:
        model: Its name on the server.
        signature: The signature's name.
        examples: Serialized `tf.Example`s.
    """
    example_list = b"".join(_field(1, example) for example in examples)
    request = _field(1, _model_spec(model, signature)) + _field(2, _field(1, example_list))
    return _field(2, _field(1, request))


def _model_spec(model: str, signature: str) -> bytes:
    return _field(1, model.encode()) + _field(3, signature.encode())


def _field(number: int, content: bytes) -> bytes:
    """Encodes a field whose content is text, bytes or a message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
