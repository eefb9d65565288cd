import io
import os
import struct
import warnings
import zlib

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
import tensorflow as tf

from dcgan.data import decode_file
from dcgan.data.decoding import image_file
from dcgan.data.decoding.pixel_budget import PixelBudget


def chunk(kind, data):
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png(pixels, *, color, depth, shape=None):
    """Writes a PNG of a kind that Pillow does not write."""
    height, width = shape or pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in pixels)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def smooth(mode, size=(24, 18)):
    small = np.random.default_rng(0).integers(0, 256, (4, 4, 4), dtype=np.uint8)
    image = PIL.Image.fromarray(small).resize(size, PIL.Image.Resampling.BICUBIC)
    return image.convert(mode if mode in ("LA", "RGBA") else "RGB").convert(mode)


def encoded(image, suffix):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG" if suffix == "jpg" else suffix)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "suffix", "channels"),
    [
        ("1", "png", 1),
        ("L", "png", 1),
        ("LA", "png", 2),
        ("P", "png", 3),
        ("RGB", "png", 3),
        ("RGBA", "png", 4),
        ("L", "bmp", 1),
        ("RGB", "bmp", 3),
        ("RGB", "gif", 3),
        ("RGB", "webp", 3),
        ("RGBA", "webp", 4),
        ("L", "jpg", 1),
        ("RGB", "jpg", 3),
    ],
)
def test_agrees_with_tensorflow(tmp_path, mode, suffix, channels):
    path = tmp_path / f"image.{suffix}"
    path.write_bytes(encoded(smooth(mode), suffix))
    pixels = decode_file(path)
    assert (pixels.dtype, pixels.shape) == (np.uint8, (18, 24, channels))
    content = path.read_bytes()
    if suffix == "jpg":  # TensorFlow's default is a faster, less exact transform.
        theirs = tf.io.decode_jpeg(content, dct_method="INTEGER_ACCURATE")
    else:
        theirs = tf.io.decode_image(content, expand_animations=False)
    np.testing.assert_array_equal(pixels, theirs)


@pytest.mark.parametrize(("color", "channels"), [(0, 1), (2, 3), (6, 4)])
def test_sixteen_bits_keep_the_high_byte(tmp_path, color, channels):
    deep = np.random.default_rng(0).integers(0, 2**16, (7, 5, channels), dtype=np.uint16)
    path = tmp_path / "deep.png"
    path.write_bytes(png(deep, color=color, depth=16))
    np.testing.assert_array_equal(decode_file(path), deep >> 8)
    np.testing.assert_array_equal(tf.io.decode_image(path.read_bytes()), deep >> 8)


def test_one_bit_is_black_and_white(tmp_path):
    bits = PIL.Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1")
    bits.save(tmp_path / "bits.png")
    assert decode_file(tmp_path / "bits.png")[..., 0].tolist() == [[0, 255], [255, 0]]


def test_palette_with_transparency_has_alpha(tmp_path):
    image = smooth("RGB").convert("P")
    image.save(tmp_path / "image.png", transparency=bytes(range(256)))
    pixels = decode_file(tmp_path / "image.png")
    assert pixels.shape == (18, 24, 4)
    np.testing.assert_array_equal(pixels, tf.io.decode_image((tmp_path / "image.png").read_bytes()))


def test_cmyk_becomes_rgb(tmp_path):
    smooth("CMYK").save(tmp_path / "image.jpg", quality=95)
    difference = decode_file(tmp_path / "image.jpg").astype(int) - np.asarray(smooth("RGB"))
    assert np.abs(difference).mean() < 2


def test_first_frame_of_an_animation(tmp_path):
    frames = [PIL.Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "image.gif", save_all=True, append_images=frames[1:])
    assert decode_file(tmp_path / "image.gif")[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff"])
def test_orientation_is_that_of_pillow(tmp_path, suffix, orientation):
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"image.{suffix}"
    smooth("RGB").save(path, exif=exif)
    with PIL.Image.open(path) as image:
        expected = np.asarray(PIL.ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(decode_file(path), expected)
    assert image_file.read_header(path) == image_file.Header(*expected.shape)


def test_a_large_jpeg_is_decoded_at_half_its_size(tmp_path):
    image = smooth("L", size=(4100, 4100))
    image.save(tmp_path / "image.jpg", quality=95)
    pixels = decode_file(tmp_path / "image.jpg")
    assert pixels.shape == (2050, 2050, 1)
    assert image_file.read_header(tmp_path / "image.jpg") == image_file.Header(2050, 2050, 1)
    expected = np.asarray(image.resize((2050, 2050), PIL.Image.Resampling.BOX))
    assert np.abs(pixels[..., 0].astype(int) - expected).mean() < 1


def test_pixels_do_not_depend_on_the_strips_that_they_are_taken_in(tmp_path, monkeypatch):
    smooth("RGBA").save(tmp_path / "image.png")
    whole = decode_file(tmp_path / "image.png")
    monkeypatch.setattr(image_file, "_STRIP", 100)
    np.testing.assert_array_equal(decode_file(tmp_path / "image.png"), whole)


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_32_bits_have_no_range(tmp_path, refused, dtype):
    PIL.Image.fromarray(np.ones((4, 4), dtype)).save(tmp_path / "image.tiff")
    refused(lambda: decode_file(tmp_path / "image.tiff"), "pixels of 32 bits; expected 8 or 16")


def test_a_file_that_is_too_large_is_not_read(tmp_path, refused):
    with (tmp_path / "image.png").open("wb") as file:
        file.truncate(2**28 + 1)
    refused(lambda: decode_file(tmp_path / "image.png"), "268435457 bytes are more than the 268435456")


def test_a_lack_of_memory_is_not_called_damage(tmp_path, refused, monkeypatch):
    def fail(_):
        raise MemoryError

    smooth("RGB").save(tmp_path / "image.png")
    monkeypatch.setattr(image_file, "_to_plain", fail)
    refused(lambda: decode_file(tmp_path / "image.png"), "not enough memory to decode it")


def test_what_is_made_of_the_pixels_is_not_blamed_on_the_file(tmp_path):
    smooth("RGB").save(tmp_path / "image.png")
    with pytest.raises(ZeroDivisionError):
        image_file.decode(tmp_path / "image.png", lambda pixels: 1 // 0)


@pytest.mark.parametrize(
    ("mode", "channels"), [("1", 1), ("L", 1), ("LA", 1), ("P", 3), ("RGB", 3), ("RGBA", 3)]
)
def test_header(tmp_path, mode, channels):
    smooth(mode).save(tmp_path / "image.png")
    assert image_file.read_header(tmp_path / "image.png") == image_file.Header(18, 24, channels)


def test_header_of_sixteen_bits_is_grey(tmp_path):
    (tmp_path / "deep.png").write_bytes(png(np.zeros((2, 3), np.uint16), color=0, depth=16))
    assert image_file.read_header(tmp_path / "deep.png") == image_file.Header(2, 3, 1)


def test_missing(tmp_path, refused):
    refused(lambda: decode_file(tmp_path / "no.png"), tmp_path / "no.png", "no such file")


def test_folder(tmp_path, refused):
    refused(lambda: decode_file(tmp_path), tmp_path, "not a file")


@pytest.mark.parametrize("content", [b"", b"some text", b"\x89PNG\r\n\x1a\n"])
def test_not_an_image(tmp_path, refused, content):
    path = tmp_path / "text.png"
    path.write_bytes(content)
    refused(lambda: decode_file(path), path, "expected an image that can be read (not a PNG")


def test_other_image_formats_do_not_count(tmp_path, refused):
    smooth("RGB").save(tmp_path / "image.png", format="PPM")
    refused(lambda: decode_file(tmp_path / "image.png"), "not a PNG, JPEG, WebP, BMP, GIF or TIFF image")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp"])
def test_truncated(tmp_path, refused, suffix):
    path = tmp_path / f"image.{suffix}"
    content = encoded(smooth("RGB", size=(64, 64)), suffix)
    path.write_bytes(content[: len(content) // 2])
    refused(lambda: decode_file(path), path, "expected an image")


@pytest.mark.parametrize("size", [(8200, 8200), (10**4, 10**4), (2 * 10**4, 2 * 10**4)])
def test_decompression_bomb_is_refused_by_its_header(tmp_path, refused, size):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(np.zeros((1, 1)), color=0, depth=8, shape=size))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refused(lambda: decode_file(path), path, "more than the 67108864 allowed")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_does_not_block(tmp_path, refused):
    os.mkfifo(tmp_path / "pipe.png")
    refused(lambda: decode_file(tmp_path / "pipe.png"), "not a file")


def test_damaged_bytes_never_raise_anything_else(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "image"
    failures = 0
    for suffix in ("png", "jpg", "webp", "gif", "bmp"):
        original = encoded(smooth("RGB"), suffix)
        for _ in range(60):
            content = bytearray(original)
            for position in rng.integers(0, len(content), 4):
                content[position] = rng.integers(256)
            path.write_bytes(content)
            try:
                decode_file(path)
            except image_file.UnreadableError:
                failures += 1
    assert failures > 50


def test_pixels_are_in_the_budget_until_they_are_prepared(tmp_path, monkeypatch):
    budget = PixelBudget(24 * 18)
    monkeypatch.setattr(image_file, "_IN_FLIGHT", budget)
    smooth("RGB").save(tmp_path / "image.png")
    free = image_file.decode(tmp_path / "image.png", lambda _: budget._free)
    assert (free, budget._free) == (0, 24 * 18)
