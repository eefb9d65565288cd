import dataclasses
import hashlib

import numpy as np
import pytest

from dcgan.data import ImageSet


def test_digest_is_sha256_of_shape_and_hashes():
    images = np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1)
    hashes = [hashlib.sha256(image.tobytes()).digest()[:8] for image in images]
    expected = hashlib.sha256(b"(3, 2, 2, 1)" + b"".join(hashes)).hexdigest()
    assert ImageSet("a", "train", images).digest == expected
    assert ImageSet("b", "test", images[::-1][::-1]).digest == expected


def test_digest_tells_shapes_and_pixels_apart():
    images = np.arange(12, dtype=np.uint8)
    digests = {
        ImageSet("a", "train", images.reshape(shape)).digest
        for shape in [(3, 2, 2, 1), (3, 1, 4, 1), (1, 2, 2, 3)]
    }
    assert len(digests | {ImageSet("a", "train", images[::-1].reshape(3, 2, 2, 1)).digest}) == 4


def test_is_frozen():
    images = ImageSet("a", "train", np.zeros((1, 2, 2, 1), np.uint8))
    with pytest.raises(dataclasses.FrozenInstanceError):
        images.name = "b"
    assert images.digest == images.digest
