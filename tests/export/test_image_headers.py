import pytest
import tensorflow as tf

from export.graph import image_headers


def read(content):
    return [value.numpy()[0] for value in image_headers.read(tf.constant([content]))]


@pytest.mark.parametrize("suffix", ["png", "webp", "jpeg"])
def test_kind_and_size(encode, make_pixels, suffix):
    is_jpeg, *size, error = read(encode(make_pixels(300, 513), suffix))
    assert (is_jpeg, error) == (suffix == "jpeg", b"")
    assert size == ([0, 0] if suffix == "jpeg" else [300, 513])


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}])
def test_size_of_other_kinds_of_webp(encode, make_pixels, options):
    assert read(encode(make_pixels(300, 513), "webp", **options))[1:3] == [300, 513]


@pytest.mark.parametrize(
    "content", [b"", b"B", b"text", b"\x89PNG\r\n\x1a\n", b"RIFF1234WAVE", b"GIF89a"]
)
def test_other_content(content):
    assert read(content) == [False, 0, 0, b"not a PNG, JPEG or WebP image"]


def test_size_error_names_the_size():
    sizes = tf.constant([3, 30_000], tf.int64)
    assert image_headers.size_error(sizes[0], sizes[0], 9) == b""
    error = image_headers.size_error(sizes[1], sizes[0], 9)
    assert error == b"3 x 30000 pixels are more than the 9 allowed"
