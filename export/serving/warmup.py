"""The requests that a server sends itself before a version goes live.

A server reads them from `assets.extra/tf_serving_warmup_requests`, records of `PredictionLog`. Its
messages are few and every field that is needed here is of the same wire type, so they are encoded
without TF Serving's own package.

Reference:
    - https://www.tensorflow.org/tfx/serving/saved_model_warmup
    - encoding: https://protobuf.dev/programming-guides/encoding
"""

import pathlib
from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

FILE = "tf_serving_warmup_requests"


def write(path: pathlib.Path, records: Iterable[bytes]) -> None:
    """Writes a warm-up file.

    Args:
        path: The file.
        records: What `predict` and `classify` return, at most 1,000.
    """
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


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
    request = _field(1, _model_spec(model, signature)) + b"".join(entries)
    return _field(6, _field(1, request))


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
