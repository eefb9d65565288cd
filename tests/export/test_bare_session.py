"""The SavedModel in a process that has neither Keras nor this project."""

import pathlib
import pickle
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

pytestmark = pytest.mark.slow

_SCRIPT = pathlib.Path(__file__).parent.parent / "scripts" / "bare_session.py"


def chunk(kind, content):
    return (
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    )


def announcing(width, height):
    """A few KB that say to be a huge RGB image."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(2_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def requests(encode, make_pixels, make_example):
    good = encode(make_pixels())
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), dtype=np.uint8)
    # The second is within what TensorFlow's own decoder allocates.
    huge = [announcing(30_000, 30_000), announcing(20_000, 20_000)]
    assert max(map(len, huge)) < 5_000
    return [
        ("predict_bytes", [good, b"junk"]),
        ("predict_bytes", [good, huge[0]]),
        ("predict_bytes", [huge[1], good]),
        ("serving_default", [make_example(good), b"junk"]),
        ("classify", [make_example(good)]),
        ("predict_uint8", pixels),
        ("predict_images", pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)),
    ]


@pytest.fixture(scope="module")
def answers(exported, requests, tmp_path_factory):
    path = tmp_path_factory.mktemp("bare")
    (path / "requests").write_bytes(pickle.dumps(requests))
    command = [sys.executable, _SCRIPT, exported, path / "requests", path / "results"]
    subprocess.run(list(map(str, command)), check=True, timeout=120)
    return pickle.loads((path / "results").read_bytes())


def test_every_signature_answers_as_in_this_process(answers, requests, served):
    arguments = {"serving_default": "examples", "predict_bytes": "image_bytes", "classify": "inputs"}
    for (values, _), (name, value) in zip(answers, requests, strict=True):
        expected = served(name, **{arguments.get(name, "images"): value})
        assert set(values) == set(expected)
        for key, array in expected.items():
            given = values[key].astype(array.dtype)
            if array.dtype.kind == "f":
                np.testing.assert_allclose(given, array, rtol=1e-5, atol=1e-6)
            else:
                np.testing.assert_array_equal(given, array)


def test_a_huge_image_costs_nothing(answers):
    for (values, grown), size in zip(answers[1:3], (30_000, 20_000), strict=True):
        reason = f"{size} x {size} pixels are more than the 10000 allowed".encode()
        assert sorted(values["error"]) == [b"", reason]
        assert grown < 50
