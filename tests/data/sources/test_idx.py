import gzip
import pathlib
import struct

import numpy as np
import pytest

from dcgan.data import load_images
from dcgan.data.sources import idx

FASHION_MNIST = pathlib.Path("/usr/share/datasets/fashion-mnist")
NAMES = {
    "dash": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "dot": ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
}


@pytest.fixture
def folder(tmp_path, write_idx, noise):
    write_idx(tmp_path / "train-images-idx3-ubyte", noise(20, 6, 5))
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.arange(20))
    write_idx(tmp_path / "t10k-images-idx3-ubyte.gz", noise(4, 6, 5, seed=1))
    write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", np.arange(4) + 100)
    return tmp_path


def test_loads_both_splits(folder, noise):
    train = load_images(folder)
    np.testing.assert_array_equal(train.images[..., 0], noise(20, 6, 5))
    assert train.labels.tolist() == list(range(20))
    assert train.labels.dtype == np.int64
    assert (train.name, train.split, train.class_names) == (str(folder), "train", None)
    both = load_images(folder, split="train[-2:]+test[:1]")
    assert both.labels.tolist() == [18, 19, 100]
    assert both.images.shape == (3, 6, 5, 1)


@pytest.mark.parametrize("spelling", NAMES)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_spellings(tmp_path, write_idx, noise, spelling, suffix):
    images, labels = NAMES[spelling]
    write_idx(tmp_path / (images + suffix), noise(10, 4, 4))
    write_idx(tmp_path / (labels + suffix), np.arange(10))
    loaded = load_images(tmp_path, split="all")
    np.testing.assert_array_equal(loaded.images[..., 0], noise(10, 4, 4))
    assert loaded.labels.tolist() == list(range(10))


def test_compressed_without_the_suffix(folder):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert idx.read(path).shape == (20, 6, 5)


def test_without_labels(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    assert load_images(folder, split="test").labels is None
    assert load_images(folder, split="train").labels is not None
    assert load_images(folder, split="all").labels is None


def test_size_and_channels(folder):
    loaded = load_images(folder, image_size=8, channels=3)
    assert loaded.images.shape == (20, 8, 8, 3)
    np.testing.assert_array_equal(loaded.images[..., 0], loaded.images[..., 2])


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_truncated(folder, refused, write_idx, noise, suffix):
    path = write_idx(folder / f"test-images-idx3-ubyte{suffix}", noise(3, 6, 5))
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    path.write_bytes(path.read_bytes()[:-7])
    refused(lambda: load_images(folder, split="test"), path, "expected")


def test_truncated_header(folder, refused):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:9])
    refused(lambda: load_images(folder), path, "3 dimensions")


def test_trailing_bytes(folder, refused):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes() + b"x")
    refused(lambda: load_images(folder), path, "600 bytes", "longer")


def test_states_more_than_memory_holds(folder, refused):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", *[2**32 - 1] * 3))
    refused(lambda: load_images(folder), path)


@pytest.mark.parametrize("content", [b"", b"text, not IDX, but long enough to be one", b"\x1f\x8bno"])
def test_not_idx(folder, refused, content):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(content)
    refused(lambda: load_images(folder), path, "expected an IDX file")


def test_corrupt_gzip(folder, refused):
    path = folder / "t10k-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[-6] ^= 0xFF
    path.write_bytes(content)
    refused(lambda: load_images(folder, split="test"), path, "expected an IDX file")


def test_labels_of_another_count(folder, refused, write_idx):
    path = write_idx(folder / "train-labels-idx1-ubyte", np.arange(19))
    refused(lambda: load_images(folder), path, "expected 20 labels")


def test_train_only_holds_out_a_test_split(folder):
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    assert load_images(folder).labels.tolist() == list(range(18))
    assert load_images(folder, split="test").labels.tolist() == [18, 19]


def test_checksum(folder, refused):
    path = folder / "train-images-idx3-ubyte"
    refused(lambda: idx.read(path, checksums={path.name: "0" * 32}), path, "MD5", "0" * 32)


@pytest.mark.skipif(not FASHION_MNIST.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_fashion_mnist():
    loaded = load_images(FASHION_MNIST, split="test")
    assert loaded.images.shape == (10000, 28, 28, 1)
    assert np.bincount(loaded.labels).tolist() == [1000] * 10
