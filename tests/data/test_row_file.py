import pathlib

import numpy as np
import pytest

from dcgan.data.indexed_images import IndexedImages
from dcgan.data.row_file import RowFile
from dcgan.errors import InputError


@pytest.fixture
def source(noise):
    return noise(9, 4, 3, 3)


@pytest.fixture
def path(tmp_path, source):
    path = tmp_path / "rows"
    path.write_bytes(b"header" + source.tobytes())
    return path


def test_reads_what_an_array_would(path, source):
    rows = np.array([8, 0, 3, 3, 5])
    images = IndexedImages(RowFile(path, source.shape, offset=6), rows)
    assert (images.shape, images.ndim, images.dtype) == ((5, 4, 3, 3), 4, np.uint8)
    for index in (slice(None), 2, slice(1, 3), np.array([4, 0]), rows > 3):
        np.testing.assert_array_equal(images[index], source[rows][index])
    assert images[rows > 8].shape == (0, 4, 3, 3)
    images[0][:] = 0  # A copy.
    np.testing.assert_array_equal(images[0], source[8])


def test_a_file_that_is_deleted_is_still_read(path, source):
    file = RowFile(path, source.shape, offset=6)
    path.unlink()
    np.testing.assert_array_equal(file[np.arange(9)], source)


def test_a_file_that_became_shorter_is_one_line(path, source):
    file = RowFile(path, source.shape, offset=6)
    path.write_bytes(path.read_bytes()[:-1])
    np.testing.assert_array_equal(file[np.arange(8)], source[:8])
    with pytest.raises(InputError, match=r"rows: expected 9 images, the file is shorter$"):
        file[np.array([8])]


def test_images_far_apart_take_no_more_memory_than_their_own(tmp_path):
    shape = (4096, 64, 64, 4)
    with (tmp_path / "rows").open("wb") as file:
        file.truncate(np.prod(shape))
    before = _resident()
    images = RowFile(tmp_path / "rows", shape, offset=0)[np.arange(0, 4096, 64)]
    assert not images.any()
    assert _resident() - before < 2**23


def _resident():
    """Returns how many bytes of files this process has in memory."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssFile:"))
