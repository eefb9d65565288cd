import hashlib

import numpy as np
import pytest

from dcgan.data import indexed_images
from dcgan.data.indexed_images import IndexedImages


@pytest.fixture
def source(noise):
    return noise(7, 2, 2, 1)


@pytest.mark.parametrize("index", [2, slice(1, 3), [2, 0, 2], np.array([True, False, True, True])])
def test_reads_what_an_array_of_the_same_images_would(source, index):
    rows = np.array([5, 0, 3, 6])
    images = IndexedImages(source, rows)
    np.testing.assert_array_equal(images[index], source[rows][index])
    assert (images.shape, images.ndim, images.dtype) == ((4, 2, 2, 1), 4, np.uint8)
    np.testing.assert_array_equal(np.asarray(images), source[rows])


def test_is_iterated_to_its_end(source):
    assert len(list(IndexedImages(source, np.array([1, 4])))) == 2


def test_takes_without_a_copy(source):
    taken = indexed_images.take(indexed_images.take(source, np.array([6, 2, 4])), np.array([2, 0]))
    source[4] = 9
    np.testing.assert_array_equal(taken[:], source[[4, 6]])


def test_takes_by_mask(source):
    mask = np.arange(7) % 2 == 1
    np.testing.assert_array_equal(indexed_images.take(source, mask)[:], source[mask])


def test_hashes_are_of_each_image(source):
    rows = np.array([3, 3, 1])
    expected = [hashlib.sha256(source[row].tobytes()).digest()[:8] for row in rows]
    assert IndexedImages(source, rows).hashes.tobytes() == b"".join(expected)
    known = np.arange(7, dtype=np.uint64)
    np.testing.assert_array_equal(IndexedImages(source, rows, hashes=known).hashes, [3, 3, 1])
    assert IndexedImages(source, rows[:0]).hashes.shape == (0,)


def test_batches_hold_all_in_order(source):
    batches = list(indexed_images.in_batches(source, 3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(batches), source)
