"""Images in `tf.Example`s, as TFX and TF Serving's Classify carry them."""

from collections.abc import Iterator

import tensorflow as tf
from google.protobuf import message

from dcgan.errors import InputError

FEATURE = "image_bytes"
# A record's length and two checksums.
_FRAME = 16
INVALID = f"expected a tf.Example with the bytes feature {FEATURE}"


class DamagedError(InputError):
    """A TFRecord file cannot be read; `reason` says why without naming it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: expected a TFRecord file that can be read ({reason})")
        self.reason = reason


def make(content: bytes) -> bytes:
    """Returns a serialized `tf.Example` with an image file's content as its only feature."""
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
    features = tf.train.Features(feature={FEATURE: feature})
    return tf.train.Example(features=features).SerializeToString()


def records(path: str, *, packed: bool) -> Iterator[bytes]:
    """Yields the records of a TFRecord file on a disk.

    Args:
        path: The file.
        packed: Whether gzip has packed it.

    Raises:
        InputError: If it holds something else, or is damaged; the records before are yielded first.
    """
    count = size = 0
    try:
        for record in tf.data.TFRecordDataset(path, "GZIP" if packed else ""):
            content = record.numpy()
            yield content
            count, size = count + 1, size + len(content) + _FRAME
        # TensorFlow ends without a word where only a record's first bytes are left.
        is_damaged = not packed and size != tf.io.gfile.stat(path).length
    except tf.errors.OpError:
        is_damaged = True
    if is_damaged:
        raise DamagedError(path, f"not a TFRecord file, or damaged after {count} records")


def read(example: bytes) -> bytes | None:
    """Returns the image in a serialized `tf.Example`; None if there is not exactly one."""
    try:
        features = tf.train.Example.FromString(example).features.feature
    except message.DecodeError:
        return None
    values = features[FEATURE].bytes_list.value
    return values[0] if len(values) == 1 else None
