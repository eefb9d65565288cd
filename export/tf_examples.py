"""Images in `tf.Example`s, as TFX and TF Serving's Classify carry them."""

import tensorflow as tf
from google.protobuf import message

FEATURE = "image_bytes"
INVALID = f"expected a tf.Example with the bytes feature {FEATURE}"


def make(content: bytes) -> bytes:
    """Returns a serialized `tf.Example` with an image file's content as its only feature."""
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
    features = tf.train.Features(feature={FEATURE: feature})
    return tf.train.Example(features=features).SerializeToString()


def read(example: bytes) -> bytes | None:
    """Returns the image in a serialized `tf.Example`; None if there is not exactly one."""
    try:
        features = tf.train.Example.FromString(example).features.feature
    except message.DecodeError:
        return None
    values = features[FEATURE].bytes_list.value
    return values[0] if len(values) == 1 else None
