"""Files of every kind through all ways of scoring: the same formats, pixels and errors."""

import json
import struct
import zlib

import keras
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not here")
pytest.importorskip("apache_beam", reason="apache-beam is not here")

import serving_double
from dcgan import scoring
from dcgan.data import preprocessing
from dcgan.data.decoding import image_formats
from export import Client, bulk, exporting
from export.graph import saved_model, scoring_model, signatures

pytestmark = pytest.mark.slow

SIDE = 8
SIZE = (30, 20)
TOO_LARGE = "too_large.png"
# How the pixels are stored that each orientation turns upright.
STORED = {
    2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
    3: PIL.Image.Transpose.ROTATE_180,
    4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
    5: PIL.Image.Transpose.TRANSPOSE,
    6: PIL.Image.Transpose.ROTATE_90,
    7: PIL.Image.Transpose.TRANSVERSE,
    8: PIL.Image.Transpose.ROTATE_270,
}
SERVED = (image_formats.PNG_START, image_formats.JPEG_START)


def turned(image, orientation, encode, suffix, **options):
    stored = image.transpose(STORED[orientation]) if orientation in STORED else image
    exif = PIL.Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", orientation
    return encode(stored, suffix, exif=exif, **options)


def empty_png(width, height):
    """Announces pixels, of which there are none."""

    def chunk(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


@pytest.fixture(scope="module")
def image(make_pixels):
    return PIL.Image.fromarray(make_pixels(*SIZE[::-1]))


@pytest.fixture(scope="module")
def good(image, encode, make_pixels):
    """Contents by name, with the image that they show and by how many grey levels they may be off."""
    alpha = PIL.Image.fromarray(make_pixels(*SIZE[::-1], 4), "RGBA")
    over_white = PIL.Image.alpha_composite(PIL.Image.new("RGBA", SIZE, "white"), alpha).convert("RGB")
    grey, palette = image.convert("L"), image.quantize(20)
    see_through = palette.copy()
    see_through.info["transparency"] = 3
    frames = {"save_all": True, "append_images": [PIL.Image.new("RGB", SIZE, "red")] * 2}
    deep = PIL.Image.fromarray((np.asarray(grey).astype(np.uint16) << 8) + 77)
    large = grey.resize((5472, 3744))
    cases = {f"orientation_{n}.png": (turned(image, n, encode, "png"), image, 1) for n in range(10)}
    cases |= {
        f"orientation_{n}.jpg": (turned(image, n, encode, "jpeg", quality=98, subsampling=0), image, 5)
        for n in range(1, 9)
    }
    return cases | {
        "orientation_6.webp": (turned(image, 6, encode, "webp", lossless=True), image, 1),
        "orientation_6.tiff": (turned(image, 6, encode, "tiff"), image, 1),
        "bits_16.png": (encode(deep), grey, 1),
        "bits_16.tiff": (encode(deep, "tiff"), grey, 1),
        "bits_1.png": (encode(grey.convert("1")), grey.convert("1").convert("L"), 1),
        "palette.png": (encode(palette), palette.convert("RGB"), 1),
        "palette.gif": (encode(palette, "gif"), palette.convert("RGB"), 1),
        "palette_alpha.png": (
            encode(see_through, transparency=3),
            PIL.Image.composite(
                palette.convert("RGB"),
                PIL.Image.new("RGB", SIZE, "white"),
                PIL.Image.fromarray(np.uint8(255 * (np.asarray(palette) != 3))),
            ),
            1,
        ),
        "rgba.png": (encode(alpha), over_white, 2),
        "rgba.webp": (encode(alpha, "webp", lossless=True, exact=True), over_white, 2),
        "la.png": (encode(alpha.convert("LA")), over_white, 3),
        "cmyk.jpg": (encode(image.convert("CMYK"), "jpeg", quality=98, subsampling=0), image, 5),
        "progressive.jpg": (
            encode(image, "jpeg", quality=98, subsampling=0, progressive=True),
            image,
            5,
        ),
        "grey.jpg": (encode(grey, "jpeg", quality=98), grey, 5),
        "plain.bmp": (encode(image, "bmp"), image, 1),
        "animated.webp": (encode(image, "webp", lossless=True, **frames), image, 1),
        "animated.gif": (encode(palette, "gif", **frames), palette.convert("RGB"), 1),
        "animated.png": (encode(image, **frames), image, 1),
        "megapixels_20.jpg": (encode(large, "jpeg", quality=90), grey, 6),
        "megapixels_20.png": (encode(large, compress_level=1), grey, 6),
    }


@pytest.fixture(scope="module")
def bad(image, encode):
    """Contents by name, with their errors."""
    cases = {"empty.png": (b"", image_formats.UNKNOWN), "text.jpg": (b"text", image_formats.UNKNOWN)}
    for suffix in ("png", "jpeg", "webp", "gif", "tiff"):
        whole = encode(image.resize((90, 80)), suffix)
        cases[f"half.{suffix}"] = (whole[: len(whole) // 2], image_formats.DAMAGED)
    depth = PIL.Image.fromarray(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8))
    return cases | {
        "bits_32.tiff": (encode(depth, "tiff"), image_formats.DEEP),
        "megapixels_72.png": (empty_png(9000, 8000), "9000 x 8000 pixels are more than the 67108864"),
        "long.png": (empty_png(70_000, 1), "70000 x 1 pixels are more than the 65500 allowed a side"),
    }


@pytest.fixture(scope="module")
def folder(good, bad, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, (content, *_) in (good | bad).items():
        (folder / name).write_bytes(content)
    with (folder / TOO_LARGE).open("wb") as file:
        file.truncate(image_formats.MAX_BYTES + 1)
    return folder


@pytest.fixture(scope="module")
def scorer():
    """Its logit is another for each pixel and place: a grey level counts little, a turn much."""
    inputs = keras.Input((SIDE, SIDE, 1))
    dense = keras.layers.Dense(1)
    network = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    kernel = np.random.default_rng(0).normal(size=(SIDE * SIDE, 1)).astype(np.float32)
    dense.set_weights([kernel, np.zeros(1, np.float32)])
    return scoring_model.DiscriminatorScorer(network)


@pytest.fixture(scope="module")
def models(scorer, tmp_path_factory):
    """A version as it is exported by default, loaded."""
    path = tmp_path_factory.mktemp("exported") / "1"
    saved_model.write(signatures.of_scoring_model(scorer, max_pixels=exporting.MAX_PIXELS), path)
    return serving_double.Models({1: path})


class Local:
    """The exported network as local scoring takes it."""

    image_shape = (SIDE, SIDE, 1)

    def __init__(self, scorer):
        self._scorer = scorer

    def score(self, images):
        return {key: np.asarray(value) for key, value in self._scorer(images / 127.5 - 1.0).items()}


def locally(folder, scorer, models, out):
    return scoring.score_files(Local(scorer), [folder])


def over_http(folder, scorer, models, out):
    with serving_double.over_http(models) as url, Client(url) as client:
        return list(client.score_files([folder]))


def over_grpc(folder, scorer, models, out):
    with serving_double.over_grpc(models) as url, Client(url) as client:
        return list(client.score_files([folder]))


def with_beam(folder, scorer, models, out):
    bulk.score_bulk([f"{folder}/*"], str(models.directories[1]), str(out))
    lines = [line for path in out.iterdir() for line in path.read_text().splitlines()]
    return [scoring.Row(**json.loads(line)) for line in lines]


def by_signature(folder, scorer, models, out):
    paths = sorted(path for path in folder.iterdir() if path.name != TOO_LARGE)
    return ask(models, "predict_bytes", paths, [path.read_bytes() for path in paths])


def ask(models, signature, paths, texts):
    called = models.signature(1, signature)
    (name,) = called.structured_input_signature[1]
    arrays = {key: value.numpy() for key, value in called(**{name: tf.constant(texts)}).items()}
    numbers = [arrays[key] for key in ("p_fake", "familiarity", "discriminator_logit")]
    assert np.isfinite(numbers).all()
    columns = {key: a.astype(str) if a.dtype == object else a for key, a in arrays.items()}
    return list(scoring.to_rows(list(map(str, paths)), columns))


WAYS = [locally, by_signature, over_http, over_grpc, with_beam]


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: way.__name__)
def rows(request, folder, scorer, models, tmp_path_factory):
    """The rows by name, and whether they come from a signature that was called directly."""
    found = request.param(folder, scorer, models, tmp_path_factory.mktemp("out"))
    names = {row.file.rpartition("/")[2]: row for row in found}
    return names, request.param is by_signature


def is_served(content):
    return content.startswith(SERVED)


def test_every_file_has_its_row(rows, good, bad):
    assert {*rows[0]} - {TOO_LARGE} == {*good, *bad}


def test_the_same_pixels(rows, good, scorer):
    found, is_direct = rows
    for name, (content, image, levels) in good.items():
        row = found[name]
        if is_direct and not is_served(content):
            assert row.error == image_formats.NOT_SERVED, name
            continue
        assert row.error is None, name
        pixels = np.asarray(image.convert("L") if image.mode == "1" else image)
        pixels = pixels.reshape(1, *SIZE[::-1], -1)
        prepared = preprocessing.prepare_array(pixels, image_size=SIDE, channels=1)
        logit = float(scorer(prepared / 127.5 - 1.0)["discriminator_logit"][0])
        # Of errors of so many levels in each pixel, added up.
        assert row.discriminator_logit == pytest.approx(logit, abs=8 * levels / 127.5), name


def test_a_turn_counts_more_than_what_is_tolerated(image, scorer):
    turns = [image, *(image.transpose(method) for method in STORED.values())]
    arrays = [
        preprocessing.prepare_array(np.asarray(turn)[np.newaxis], image_size=SIDE, channels=1)
        for turn in turns
    ]
    logits = scorer(np.concatenate(arrays) / 127.5 - 1.0)["discriminator_logit"].numpy()
    assert np.abs(logits[1:] - logits[0]).min() > 1


def test_the_same_errors(rows, bad):
    found, is_direct = rows
    for name, (content, error) in bad.items():
        if is_direct and not is_served(content):
            error = image_formats.NOT_SERVED
        assert found[name].error is not None, name
        assert found[name].error.startswith(error), name
        assert (found[name].decision, found[name].p_fake) == ("error", None)


def test_examples_are_scored_as_their_images(folder, models, make_example):
    paths = [folder / f"orientation_{number}.jpg" for number in range(1, 9)] + [folder / "half.png"]
    contents = [path.read_bytes() for path in paths]
    examples = [make_example(content) for content in contents]
    rows = ask(models, "predict_bytes", paths, contents)
    assert ask(models, "serving_default", paths, examples) == rows


def test_a_file_that_is_too_large_is_one_row(rows):
    found, is_direct = rows
    if not is_direct:
        assert found[TOO_LARGE].error == "268435457 bytes are more than the 268435456 allowed"
