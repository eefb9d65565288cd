import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from export.graph import headers

_CODES = {
    "png": headers.PNG,
    "gif": headers.GIF,
    "bmp": headers.BMP,
    "webp": headers.WEBP,
    "jpeg": headers.JPEG,
}


@pytest.mark.parametrize("suffix", _CODES)
def test_kind_and_size(encode, make_pixels, suffix):
    found = headers.read(tf.constant([encode(make_pixels(300, 513), suffix)]))
    assert (found.kind.numpy()[0], found.error.numpy()[0]) == (_CODES[suffix], b"")
    size = (found.height.numpy()[0], found.width.numpy()[0])
    assert size == ((0, 0) if suffix == "jpeg" else (300, 513))


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}])
def test_size_of_other_kinds_of_webp(encode, make_pixels, options):
    found = headers.read(tf.constant([encode(make_pixels(300, 513), "webp", **options)]))
    assert (found.height.numpy()[0], found.width.numpy()[0]) == (300, 513)


def test_bmp_from_the_top(encode, make_pixels):
    content = encode(make_pixels(30, 20), "bmp")
    content = content[:22] + np.int32(-30).tobytes() + content[26:]
    assert headers.read(tf.constant([content])).height.numpy()[0] == 30


@pytest.mark.parametrize("content", [b"", b"B", b"text", b"\x89PNG\r\n\x1a\n", b"RIFF1234WAVE"])
def test_other_content(content):
    found = headers.read(tf.constant([content]))
    assert (found.kind.numpy()[0], found.error.numpy()[0]) == (
        headers.UNKNOWN,
        b"content is none of these",
    )


def test_a_bmp_that_would_be_misread(encode):
    found = headers.read(tf.constant([encode(PIL.Image.new("1", (9, 9)), "bmp")]))
    assert found.error.numpy()[0] == headers.UNSUPPORTED_BMP.encode()


def test_size_error_names_the_size():
    sizes = tf.constant([3, 30_000], tf.int64)
    assert headers.size_error(sizes[0], sizes[0], 9) == b""
    assert headers.size_error(sizes[1], sizes[0], 9) == b"3 x 30000 pixels are more than the 9 allowed"
