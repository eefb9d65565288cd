"""Encoded images of every kind through a loaded SavedModel, hostile ones among them."""

import struct
import zlib

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from dcgan import data
from dcgan.data import decode_file
from dcgan.data.decoding.encoded_image import to_served
from export import tf_examples
from export.graph import image_decoding, row_errors

DAMAGED = "file is truncated or corrupt"


@pytest.fixture(scope="module")
def decode():
    """Decodes one file in a graph, to grey or RGB of 8 pixels a side; returns pixels and error."""

    def make(channels):
        spec = tf.TensorSpec((None,), tf.string)
        function = tf.function(
            lambda texts: image_decoding.decode(texts, image_shape=(8, 8, channels), max_pixels=10_000),
            input_signature=[spec],
            autograph=False,
        )
        return lambda content: [value.numpy()[0] for value in function(tf.constant([content]))]

    return {channels: make(channels) for channels in (1, 3)}


@pytest.fixture
def assert_agrees(decode, tmp_path):
    """Compares a file's pixels in the graph, as a client sends it, with those that training reads."""

    def check(content):
        (tmp_path / "image").write_bytes(content)
        local = decode_file(tmp_path / "image")[np.newaxis]
        for channels in (1, 3):
            pixels, error = decode[channels](to_served(content))
            assert error == b""
            expected = data.prepare_array(local, image_size=8, channels=channels)[0]
            np.testing.assert_allclose(pixels.astype(int), expected.astype(int), atol=1)

    return check


def png(color, depth, pixels):
    """A PNG of a kind that Pillow does not write."""

    def chunk(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    size = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", size), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    )


def palette_image(pixels, transparency=None):
    image = PIL.Image.fromarray(pixels).quantize(20)
    if transparency is not None:
        image.info["transparency"] = transparency
    return image


@pytest.mark.parametrize("suffix", ["png", "jpeg", "bmp", "gif", "webp", "tiff"])
@pytest.mark.parametrize("size", [(8, 8), (24, 18), (5, 40)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_formats_sizes_and_colours(assert_agrees, encode, make_pixels, suffix, size, mode):
    image = PIL.Image.fromarray(make_pixels(*size)).convert(mode)
    assert_agrees(encode(image, suffix))


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_over_white(assert_agrees, encode, make_pixels, channels):
    image = PIL.Image.fromarray(make_pixels(channels=4), "RGBA")
    assert_agrees(encode(image.convert("LA") if channels == 2 else image))


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp"])
def test_palette(assert_agrees, encode, make_pixels, suffix):
    assert_agrees(encode(palette_image(make_pixels()), suffix))


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_palette_with_transparency(assert_agrees, encode, make_pixels, suffix):
    assert_agrees(encode(palette_image(make_pixels(), transparency=3), suffix))


@pytest.mark.parametrize(("color", "channels"), [(0, 1), (2, 3), (6, 4)])
def test_sixteen_bits(assert_agrees, color, channels):
    deep = np.random.default_rng(0).integers(0, 2**16, (9, 9, channels), dtype=np.uint16)
    assert_agrees(png(color, 16, deep))


def test_cmyk_jpeg(assert_agrees, encode, make_pixels):
    assert_agrees(encode(PIL.Image.fromarray(make_pixels()).convert("CMYK"), "jpeg", quality=95))


def test_progressive_jpeg(assert_agrees, encode, make_pixels):
    assert_agrees(encode(make_pixels(60, 50), "jpeg", progressive=True))


def test_bmp_of_32_bits(assert_agrees, encode, make_pixels):
    assert_agrees(encode(PIL.Image.fromarray(make_pixels(channels=4), "RGBA"), "bmp"))


@pytest.mark.parametrize("suffix", ["gif", "webp", "tiff"])
def test_first_frame_of_an_animation(assert_agrees, encode, make_pixels, suffix):
    frames = [PIL.Image.fromarray(make_pixels(seed=seed)) for seed in range(4)]
    assert_agrees(encode(frames[0], suffix, save_all=True, append_images=frames[1:]))


NOT_SERVED = "not a PNG or JPEG image"


def hostile(encode, make_pixels):
    """Content by what is wrong with it, and the error that it gets."""
    whole = {suffix: encode(make_pixels(60, 50), suffix) for suffix in ("png", "jpeg")}
    frames = [PIL.Image.fromarray(make_pixels(seed=seed)) for seed in range(2)]
    jpeg_size = whole["jpeg"].index(b"\xff\xc0") + 5
    cases = {
        "empty": (b"", NOT_SERVED),
        "text": (b"not an image", NOT_SERVED),
        "html": (b"<html>" * 99, NOT_SERVED),
        "gif": (encode(frames[0], "gif"), NOT_SERVED),
        "bmp": (encode(frames[0], "bmp"), NOT_SERVED),
        "tiff": (encode(frames[0], "tiff"), NOT_SERVED),
        "png size": (patch(whole["png"], 16, struct.pack(">II", 200, 300)), "200 x 300 pixels"),
        "jpeg size": (
            patch(whole["jpeg"], jpeg_size, struct.pack(">HH", 60000, 50000)),
            "50000 x 60000",
        ),
        # Its decoder in TensorFlow would end the process.
        "animated webp": (
            encode(frames[0], "webp", save_all=True, append_images=frames[1:]),
            NOT_SERVED,
        ),
    }
    cases |= {f"half a {suffix}": (text[: len(text) // 2], DAMAGED) for suffix, text in whole.items()}
    return cases


def patch(content, start, replacement):
    return content[:start] + replacement + content[start + len(replacement) :]


def test_bad_images_among_good_ones(served, encode, make_pixels):
    good = encode(make_pixels())
    cases = hostile(encode, make_pixels)
    contents = [good, *(content for content, _ in cases.values()), good]
    scores = served("predict_bytes", image_bytes=contents)
    alone = served("predict_bytes", image_bytes=[good])
    for (name, (_, reason)), error in zip(cases.items(), scores["error"][1:-1], strict=True):
        assert error.startswith(reason), name
    assert set(scores["decision"][1:-1]) == {"error"}
    for name in ("p_fake", "familiarity", "discriminator_logit"):
        assert set(scores[name][1:-1]) == {row_errors.VALUES[name]}
    for name, values in alone.items():
        expected = pytest.approx(values[0]) if values.dtype.kind == "f" else values[0]
        assert scores[name][0] == expected
        assert scores[name][-1] == expected


def test_a_batch_of_nothing_but_bad_images(served):
    scores = served("predict_bytes", image_bytes=[b"", b"junk", b"\xff\xd8\xff"])
    assert list(scores["decision"]) == ["error"] * 3
    assert list(scores["error"]) == [NOT_SERVED] * 2 + [DAMAGED]


def test_what_is_no_example(served, encode, make_pixels, make_example):
    good = make_example(encode(make_pixels()))
    bad = [b"\xff\xff junk", make_example(b"x", name="other"), b""]
    scores = served("serving_default", examples=[*bad, good, make_example(b"junk")])
    assert list(scores["error"][:3]) == [tf_examples.INVALID] * 3
    assert list(scores["error"][3:]) == ["", NOT_SERVED]
    classified = served("classify", inputs=[*bad, good])["scores"]
    assert classified[:3].tolist() == [[0, 1]] * 3
    assert 0 < classified[3, 1] < 1
