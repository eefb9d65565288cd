"""The image and the label in a serialized `tf.Example`, read without TensorFlow.

Reference:
    https://protobuf.dev/programming-guides/encoding
"""

from collections.abc import Iterator

FEATURE = "image_bytes"
"""The feature with an image file's content, as the exported model takes it."""

LABEL = "label"
"""The feature with the image's class, an integer."""

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_BYTES_LIST, _INT64_LIST = 1, 3


def parse(example: bytes) -> tuple[bytes | None, int | None]:
    """Finds the image and the label.

    Args:
        example: A serialized `tf.Example`.

    Returns:
        The content of an image file, None if the example has not exactly one; and the label, None if
        it has not exactly one.
    """
    try:
        features = dict(_features(example))
        contents = _values(features.get(FEATURE.encode(), b""), _BYTES_LIST)
        labels = _values(features.get(LABEL.encode(), b""), _INT64_LIST)
        numbers = [number for value in labels for number in _numbers(value)]
    except (IndexError, KeyError):
        return None, None
    return contents[0] if len(contents) == 1 else None, numbers[0] if len(numbers) == 1 else None


def _features(example: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields names and serialized features."""
    for number, features in _fields(example):
        for _, entry in _fields(features) if number == 1 else ():
            parts = dict(_fields(entry))
            yield parts[1], parts.get(2, b"")


def _values(feature: bytes, kind: int) -> list[bytes]:
    """Returns the values of a feature that is a list of such a kind."""
    return [
        value
        for number, values in _fields(feature)
        if number == kind
        for field, value in _fields(values)
        if field == 1
    ]


def _numbers(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        number, at = _varint(packed, at)
        yield number - 2**64 if number >= 2**63 else number


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the numbers and the bytes of a message's fields."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        start, kind = at, key & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind == _BYTES:
            length, start = _varint(message, at)
            at = start + length
        else:
            at += {_FIXED_64: 8, _FIXED_32: 4}[kind]
        if at > len(message):
            raise IndexError
        yield key >> 3, message[start:at]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Reads a number of variable length; returns it, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
