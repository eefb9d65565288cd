import numpy as np
import pytest
import tensorflow as tf

from dcgan.data import load_images
from dcgan.data.cache.storage import Storage


def _bytes(content):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))


@pytest.mark.parametrize("memory", [None, 0])
def test_a_file_with_labels(tmp_path, write_records, noise, memory):
    path = write_records(tmp_path / "faces.tfrecord", range(6), [3, 0, 1, 2, 0, 1])
    loaded = load_images(path, split="all", storage=Storage(memory, tmp_path / "cache"))
    np.testing.assert_array_equal(loaded.images[:], [noise(8, 8, 3, seed=n) for n in range(6)])
    assert loaded.labels.tolist() == [3, 0, 1, 2, 0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("memory", [None, 0])
@pytest.mark.parametrize(("kind", "size", "quality"), [("JPEG", 8, 75), ("JPEG", 6, 0), ("PNG", 8, 0)])
def test_jpegs_keep_their_quality(tmp_path, write_records, memory, kind, size, quality):
    path = write_records(tmp_path / "faces.tfrecord", range(3), kind=kind)
    storage = Storage(memory, tmp_path / "cache")
    loaded = load_images(path, split="all", image_size=size, storage=storage)
    assert loaded.jpeg_qualities.tolist() == [quality] * 3


@pytest.mark.parametrize("memory", [None, 0])
def test_a_folder_of_shards_is_split_as_any(tmp_path, write_records, noise, memory):
    write_records(tmp_path / "set" / "a.tfrecord-00000-of-00002", range(6))
    write_records(tmp_path / "set" / "a.tfrecord-00001-of-00002", range(6, 10))
    storage = Storage(memory, tmp_path / "cache")
    train, test = (
        load_images(tmp_path / "set", split=split, storage=storage) for split in ("train", "test")
    )
    assert (len(train.images), len(test.images), train.labels) == (9, 1, None)
    for each in (train, test):
        expected = [noise(8, 8, 3, seed=int(place)) for place in each.positions]
        np.testing.assert_array_equal(each.images[:], expected)


def test_splits_in_the_files_names(tmp_path, write_records, noise):
    write_records(tmp_path / "faces-train.tfrecord-00000-of-00001", range(4))
    write_records(tmp_path / "faces-test.tfrecord-00000-of-00001", range(4, 7))
    test = load_images(tmp_path, split="test")
    np.testing.assert_array_equal(test.images, [noise(8, 8, 3, seed=n) for n in range(4, 7)])


def test_records_without_an_image_are_named(tmp_path, write_records, refused):
    path = write_records(tmp_path / "faces.tfrecord", range(3))
    with tf.io.TFRecordWriter(str(tmp_path / "others.tfrecord")) as writer:
        writer.write(b"no example")
    refused(lambda: load_images(tmp_path, split="all"), "others.tfrecord, record 0", "image_bytes")
    loaded = load_images(tmp_path, split="all", skip_bad=True)
    assert (len(loaded.images), loaded.skipped) == (3, 1)
    assert path.is_file()


def test_damaged_compressed_and_empty_files(tmp_path, write_records, refused):
    path = write_records(tmp_path / "a.tfrecord", range(3))
    path.write_bytes(path.read_bytes()[:-5])
    refused(lambda: load_images(path), path, "after 2 records")
    path = write_records(tmp_path / "b.tfrecord", range(3), compression="GZIP")
    refused(lambda: load_images(path), path, "not compressed")
    path = write_records(tmp_path / "c.tfrecord", [])
    refused(lambda: load_images(path), path, "no record")
