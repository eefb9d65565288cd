import gc
import os
import sys

import imageio.v3 as imageio
import numpy as np
import pytest

from dcgan import images

LEVELS = np.arange(256, dtype=np.uint8)


def test_every_grey_level_both_ways():
    floats = images.to_float(LEVELS)
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats, np.linspace(-1, 1, 256), atol=1e-7)
    np.testing.assert_array_equal(images.to_uint8(floats), LEVELS)
    assert images.to_uint8(floats).dtype == np.uint8


def test_floats_go_to_the_nearest_level_and_are_clipped():
    half = 1 / 255
    centres = images.to_float(LEVELS)
    np.testing.assert_array_equal(images.to_uint8(centres + 0.98 * half), LEVELS)
    np.testing.assert_array_equal(images.to_uint8(centres - 0.98 * half), LEVELS)
    np.testing.assert_array_equal(images.to_uint8(np.array([-9, -1.1, 1.1, 9])), [0, 0, 255, 255])
    assert images.to_uint8(np.float16(0.5)) == 191


@pytest.mark.parametrize("channels", [1, 3])
def test_grid_layout(channels):
    stack = np.stack([np.full((2, 3, channels), 10 * k, np.uint8) for k in range(1, 6)])
    sheet = images.grid(stack, columns=3, padding=1)
    g = 127
    expected = np.array(
        [
            [g, g, g, g, g, g, g, g, g, g, g, g, g],
            [g, 10, 10, 10, g, 20, 20, 20, g, 30, 30, 30, g],
            [g, 10, 10, 10, g, 20, 20, 20, g, 30, 30, 30, g],
            [g, g, g, g, g, g, g, g, g, g, g, g, g],
            [g, 40, 40, 40, g, 50, 50, 50, g, g, g, g, g],
            [g, 40, 40, 40, g, 50, 50, 50, g, g, g, g, g],
            [g, g, g, g, g, g, g, g, g, g, g, g, g],
        ],
        np.uint8,
    )
    if channels == 3:
        expected = np.repeat(expected[..., None], 3, axis=-1)
    np.testing.assert_array_equal(sheet, expected)
    assert sheet.dtype == np.uint8


def test_grid_keeps_images_upright():
    image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1)
    np.testing.assert_array_equal(images.grid(image, padding=0), image[0, ..., 0])


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (4, 2, 2), (5, 2, 3), (10, 3, 4)]
)
def test_grid_is_as_square_as_can_be(count, rows, columns):
    sheet = images.grid(np.zeros((count, 8, 8, 1), np.uint8), padding=0)
    assert sheet.shape == (8 * rows, 8 * columns)


def test_grid_of_floats_is_that_of_their_levels():
    stack = np.random.default_rng(0).integers(0, 256, (4, 5, 5, 3), np.uint8)
    np.testing.assert_array_equal(images.grid(images.to_float(stack)), images.grid(stack))


@pytest.mark.parametrize("shape", [(0, 4, 4, 1), (4, 4, 1), (2, 4, 4, 2), (2, 4, 4, 4)])
def test_grid_of_something_else(shape):
    with pytest.raises(ValueError, match="Expected at least one image") as caught:
        images.grid(np.zeros(shape, np.uint8))
    assert f"images.shape={shape}" in str(caught.value)


def test_enlarge():
    np.testing.assert_array_equal(
        images.enlarge(np.array([[1, 2]], np.uint8), 2), [[1, 1, 2, 2], [1, 1, 2, 2]]
    )
    assert images.enlarge(np.zeros((2, 2, 3)), 3).shape == (6, 6, 3)


@pytest.mark.parametrize("shape", [(16, 16), (16, 16, 3)])
def test_png_both_ways(tmp_path, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    path = images.save_png(str(tmp_path / "made" / "image.png"), image)
    assert path == tmp_path / "made" / "image.png"
    np.testing.assert_array_equal(imageio.imread(path), image)


def test_a_full_disk_is_one_error(tmp_path, monkeypatch):
    ignored = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    (tmp_path / f".grid.{os.getpid()}.tmp.png").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"grid\.png"):
        images.save_png(tmp_path / "grid.png", np.zeros((8, 8), np.uint8))
    gc.collect()
    assert ignored == []
