import gzip
import io
import struct

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from dcgan import errors
from dcgan.data import remarks


@pytest.fixture(autouse=True)
def _nothing_said():
    """Forgets what was said in other tests, since each line is said once a process."""
    remarks.say.cache_clear()


@pytest.fixture
def write_image():
    """Writes uint8 pixels of shape (h, w) or (h, w, c) as an image file and makes its folders."""

    def write(path, pixels, **options):
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)
        return path

    return write


@pytest.fixture
def write_idx():
    """Writes an array of uint8 as an IDX file, compressed if its name ends so."""

    def write(path, array):
        array = np.asarray(array, np.uint8)
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        content = header + array.tobytes()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        return path

    return write


@pytest.fixture
def refused():
    """Expects an `InputError` of one line that holds all of some texts."""

    def check(action, *texts):
        with pytest.raises(errors.InputError) as caught:
            action()
        message = str(caught.value)
        assert "\n" not in message
        for text in texts:
            assert str(text) in message
        return message

    return check


@pytest.fixture
def noise():
    """Random uint8 pixels of a shape."""

    def make(*shape, seed=0):
        return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)

    return make


@pytest.fixture
def write_records(noise):
    """Writes images of 8 x 8 pixels, seeded by their numbers, with their labels if there are some."""

    def write(path, numbers, labels=None, *, compression=None, kind="PNG"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tf.io.TFRecordWriter(str(path), compression) as writer:
            for place, number in enumerate(numbers):
                buffer = io.BytesIO()
                PIL.Image.fromarray(noise(8, 8, 3, seed=number)).save(buffer, kind, quality=75)
                content = tf.train.BytesList(value=[buffer.getvalue()])
                features = {"image_bytes": tf.train.Feature(bytes_list=content)}
                if labels is not None:
                    value = tf.train.Int64List(value=[labels[place]])
                    features["label"] = tf.train.Feature(int64_list=value)
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
        return path

    return write
