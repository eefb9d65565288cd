import pytest
import tensorflow as tf

from dcgan.data.decoding import tf_example


def _bytes(*values):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _numbers(*values):
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def _example(**features):
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.mark.parametrize("label", [0, 7, 300, 2**40, -3])
def test_image_and_label_among_other_features(label):
    floats = tf.train.Feature(float_list=tf.train.FloatList(value=[1.5, 2.5]))
    example = _example(
        a=floats, image_bytes=_bytes(b"x" * 300), label=_numbers(label), z=_bytes(b"1", b"2")
    )
    assert tf_example.parse(example) == (b"x" * 300, label)


def test_a_label_is_not_needed():
    assert tf_example.parse(_example(image_bytes=_bytes(b"x"))) == (b"x", None)


@pytest.mark.parametrize(
    "features",
    [
        {},
        {"image": _bytes(b"x")},
        {"image_bytes": _bytes()},
        {"image_bytes": _bytes(b"x", b"y")},
        {"image_bytes": _numbers(3)},
    ],
)
def test_examples_without_one_image(features):
    assert tf_example.parse(_example(**features))[0] is None


@pytest.mark.parametrize("content", [b"", b"\xff", b"no example", b"\x0a\x7f\x00", b"\x80" * 20])
def test_other_bytes(content):
    assert tf_example.parse(content) == (None, None)


def test_truncated_anywhere():
    example = _example(image_bytes=_bytes(b"x" * 20), label=_numbers(5))
    for length in range(len(example)):
        tf_example.parse(example[:length])
