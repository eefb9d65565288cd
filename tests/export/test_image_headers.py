"""What encoded images announce, read in a graph; the same as by Pillow and in Python."""

import struct

import PIL.Image
import pytest
import tensorflow as tf

from dcgan.data.decoding import orientation
from export.graph import image_headers


@pytest.fixture(scope="module")
def read():
    """Reads one header: whether it is a JPEG, height, width, orientation and error."""
    graph = tf.function(
        lambda contents: image_headers.read(contents, max_pixels=1_000_000),
        input_signature=[tf.TensorSpec((None,), tf.string)],
        autograph=False,
    )
    return lambda content: [value.numpy()[0] for value in graph(tf.constant([content]))]


def exif_block(*entries, order="<"):
    """A directory with (tag, type, value) for each entry."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    fields = [struct.pack(f"{order}HHIHH", tag, kind, 1, value, 0) for tag, kind, value in entries]
    return mark + struct.pack(f"{order}IH", 8, len(fields)) + b"".join(fields)


@pytest.mark.parametrize("suffix", ["png", "jpeg"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_kind_and_size(read, encode, make_pixels, suffix, mode):
    image = PIL.Image.fromarray(make_pixels(300, 513)).convert(mode)
    assert read(encode(image, suffix)) == [suffix == "jpeg", 300, 513, 1, b""]


def test_size_behind_other_segments(read, encode, make_pixels):
    content = encode(make_pixels(30, 51), "jpeg", progressive=True, icc_profile=b"x" * 200_000)
    assert read(content)[1:3] == [30, 51]
    # Between segments, decoders pass over fill bytes and what is left of others.
    assert read(content[:2] + b"\0\0\xff\xff" + content[2:])[1:3] == [0, 0]
    assert read(content[:20] + b"\xff\xff" + content[20:])[1:3] == [30, 51]


BLOCKS = {
    "none": (b"", 1),
    "little": (exif_block((0x010F, 2, 1), (0x0112, 3, 6)), 6),
    "big": (exif_block((0x0112, 3, 8), order=">"), 8),
    "prefix": (orientation.PREFIX + exif_block((0x0112, 3, 3)), 3),
    "no orientation": (exif_block((0x010F, 3, 6)), 1),
    "another type": (exif_block((0x0112, 4, 6)), 1),
    "zero": (exif_block((0x0112, 3, 0)), 1),
    "nine": (exif_block((0x0112, 3, 9)), 1),
    "the first counts": (exif_block((0x0112, 3, 5), (0x0112, 3, 7)), 5),
    "last of 64": (exif_block(*[(1, 3, 1)] * 63, (0x0112, 3, 4)), 4),
    "beyond 64": (exif_block(*[(1, 3, 1)] * 64, (0x0112, 3, 4)), 1),
    "half": (exif_block((0x0112, 3, 6))[:12], 1),
    "directory elsewhere": (b"II*\0\xff\xff\xff\xff", 1),
    "junk": (b"junk" * 9, 1),
}


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("suffix", ["png", "jpeg"])
def test_orientation_in_the_graph_and_in_python(read, encode, make_pixels, name, suffix):
    block, expected = BLOCKS[name]
    assert orientation.read(block) == expected
    bare = block.removeprefix(orientation.PREFIX)
    exif = orientation.PREFIX + bare if suffix == "jpeg" else bare
    content = encode(make_pixels(8, 8), suffix, exif=exif)
    assert read(content)[3:] == [expected, b""]


def test_orientation_behind_the_pixels_does_not_count(read, encode, make_pixels):
    content = encode(make_pixels(8, 8), exif=exif_block((0x0112, 3, 6)))
    at = content.index(b"eXIf") - 4
    length = 12 + int.from_bytes(content[at : at + 4], "big")
    chunk, rest = content[at : at + length], content[:at] + content[at + length :]
    end = rest.index(b"IEND") - 4
    assert read(content)[3] == 6
    assert read(rest[:end] + chunk + rest[end:])[3:] == [1, b""]


@pytest.mark.parametrize(
    "content", [b"", b"B", b"text", b"\x89PNG\r\n\x1a\n", b"RIFF1234WEBPVP8 ", b"GIF89a", b"\xff\xd8"]
)
def test_other_content(read, content):
    assert read(content) == [False, 0, 0, 1, b"not a PNG or JPEG image"]


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\xff", b"\xff\xd8\xff" * 9_999, b"\xff\xd8\xff\xe0\0\0" * 9]
)
def test_a_jpeg_without_a_size(read, content):
    assert read(content) == [True, 0, 0, 1, b"file is truncated or corrupt"]


@pytest.mark.parametrize(
    ("size", "error"),
    [
        ((2_000, 3_000), b"2000 x 3000 pixels are more than the 1000000 allowed"),
        ((70_000, 2), b"70000 x 2 pixels are more than the 65500 allowed a side"),
        ((2, 70_000), b"2 x 70000 pixels are more than the 65500 allowed a side"),
        ((0, 5), b"file is truncated or corrupt"),
        # Multiplied, they are more than 64 bits hold.
        ((2**32 - 1, 2**32 - 1), b"file is truncated or corrupt"),
    ],
)
def test_size_errors(read, encode, make_pixels, size, error):
    content = encode(make_pixels(8, 8))
    patched = content[:16] + struct.pack(">II", *size) + content[24:]
    assert read(patched)[1:] == [0, 0, 1, error]


def test_a_content_that_is_too_large(read, monkeypatch, encode, make_pixels):
    monkeypatch.setattr("dcgan.data.decoding.image_formats.MAX_BYTES", 100)
    content = encode(make_pixels(30, 30))
    errors = image_headers.read(tf.constant([content]), max_pixels=1_000).error
    assert errors.numpy()[0] == b"%d bytes are more than the 100 allowed" % len(content)
