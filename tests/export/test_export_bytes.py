"""Encoded images of every kind through a loaded SavedModel, hostile ones among them."""

import struct
import zlib

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from dcgan import data
from dcgan.data import decode_file
from export.graph import decoding

DAMAGED = "file is truncated or corrupt"


@pytest.fixture(scope="module")
def decode():
    """Decodes one file in a graph, to grey or RGB of 8 pixels a side; returns pixels and error."""

    def make(channels):
        spec = tf.TensorSpec((None,), tf.string)
        function = tf.function(
            lambda texts: decoding.decode(texts, image_shape=(8, 8, channels), max_pixels=10_000),
            input_signature=[spec],
            autograph=False,
        )
        return lambda content: [value.numpy()[0] for value in function(tf.constant([content]))]

    return {channels: make(channels) for channels in (1, 3)}


@pytest.fixture
def assert_agrees(decode, tmp_path):
    """Compares a file's pixels in the graph with those that training reads."""

    def check(content):
        (tmp_path / "image").write_bytes(content)
        local = decode_file(tmp_path / "image")[np.newaxis]
        for channels in (1, 3):
            pixels, error = decode[channels](content)
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


@pytest.mark.parametrize("suffix", ["png", "jpeg", "bmp", "gif", "webp"])
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


def test_first_frame_of_an_animation(assert_agrees, encode, make_pixels):
    frames = [PIL.Image.fromarray(make_pixels(seed=seed)) for seed in range(4)]
    options = {"append_images": frames[1:], "duration": 50, "comment": b"x" * 999}
    assert_agrees(encode(frames[0], "gif", save_all=True, **options))


def hostile(encode, make_pixels):
    """Content by what is wrong with it, and the error that it gets."""
    whole = {suffix: encode(make_pixels(60, 50), suffix) for suffix in ("png", "jpeg", "gif", "bmp")}
    frame = PIL.Image.fromarray(make_pixels())
    more = {"save_all": True, "append_images": [PIL.Image.fromarray(make_pixels(seed=1))]}
    two = encode(frame, "gif", **more)
    jpeg_size = whole["jpeg"].index(b"\xff\xc0") + 5
    gif_frame = two.index(b"\x2c\0\0\0\0") + 5
    cases = {
        "empty": (b"", "content is none of these"),
        "text": (b"not an image", "content is none of these"),
        "html": (b"<html>" * 99, "content is none of these"),
        "png size": (patch(whole["png"], 16, struct.pack(">II", 200, 300)), "200 x 300 pixels"),
        "jpeg size": (
            patch(whole["jpeg"], jpeg_size, struct.pack(">HH", 60000, 50000)),
            "50000 x 60000",
        ),
        "gif screen": (patch(whole["gif"], 6, struct.pack("<HH", 60000, 50000)), "60000 x 50000"),
        "gif frame": (patch(two, gif_frame, struct.pack("<HH", 60000, 50000)), "60000 x 50000"),
        "bmp size": (patch(whole["bmp"], 18, struct.pack("<ii", 200, -300)), "200 x 300 pixels"),
        "bmp bits": (encode(PIL.Image.new("1", (9, 9)), "bmp"), "a BMP has to be uncompressed"),
        # It would end TensorFlow's decoder and the process with it.
        "animated webp": (encode(frame, "webp", **more), "an animated WebP is not supported"),
        "gif ends in a palette": (whole["gif"][:20], DAMAGED),
        "gif without a frame": (whole["gif"][:13] + b";", DAMAGED),
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
    assert np.isnan(scores["p_fake"][1:-1]).all()
    assert np.isnan(scores["discriminator_logit"][1:-1]).all()
    for name, values in alone.items():
        assert scores[name][0] == scores[name][-1]
        assert scores[name][0] == (pytest.approx(values[0]) if values.dtype.kind == "f" else values[0])


def test_a_batch_of_nothing_but_bad_images(served):
    scores = served("predict_bytes", image_bytes=[b"", b"junk", b"\xff\xd8\xff"])
    assert list(scores["decision"]) == ["error"] * 3
    assert list(scores["error"]) == ["content is none of these"] * 2 + [DAMAGED]


def test_what_is_no_example(served, encode, make_pixels, make_example):
    good = make_example(encode(make_pixels()))
    bad = [b"\xff\xff junk", make_example(b"x", name="other"), b""]
    scores = served("serving_default", examples=[*bad, good, make_example(b"junk")])
    assert list(scores["error"][:3]) == [decoding.NOT_AN_EXAMPLE] * 3
    assert list(scores["error"][3:]) == ["", "content is none of these"]
    classified = served("classify", inputs=[*bad, good])["scores"]
    assert np.isnan(classified).all(axis=1).tolist() == [True, True, True, False]


def test_a_later_frame_is_never_read(decode, encode, make_pixels):
    frames = [PIL.Image.fromarray(make_pixels(seed=seed)) for seed in range(2)]
    content = encode(frames[0], "gif", save_all=True, append_images=frames[1:])
    second = content.index(b"\x2c\0\0\0\0", content.index(b"\x2c\0\0\0\0") + 9)
    huge = patch(content, second + 5, struct.pack("<HH", 60000, 60000))
    assert decode[3](huge)[1] == b""
    np.testing.assert_array_equal(decode[3](huge)[0], decode[3](content)[0])


def test_a_gif_of_endless_small_blocks(decode, encode, make_pixels):
    content = encode(make_pixels(), "gif")
    comment = b"\x21\xfe" + b"\x01x" * 2**17 + b"\0"
    start = content.index(b"\x2c\0\0\0\0")
    assert decode[3](content[:start] + comment + content[start:])[1] == DAMAGED.encode()
