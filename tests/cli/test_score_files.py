import io
import os
import pathlib
import sys

import pytest

from dcgan.cli import score_files


@pytest.fixture
def listed(monkeypatch):
    """Returns the names found on standard input, as bytes."""

    def listed(content, paths=("-",)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8"))
        return [os.fsencode(name) for name in score_files.names(map(pathlib.Path, paths))]

    return listed


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"a.png\nb c.png\n", [b"a.png", b"b c.png"]),
        (b"\n\na.png\n\nb.png", [b"a.png", b"b.png"]),
        (b"a.png\r\nb.png\r\n", [b"a.png", b"b.png"]),
        (b"\xef\xbb\xbfa.png\n", [b"a.png"]),
        ("\ufeffa.png\r\nfünf.png\r\n".encode("utf-16-le"), [b"a.png", "fünf.png".encode()]),
        ("a\u2028b\x85c\x0bd\x1ce.png\n".encode(), ["a\u2028b\x85c\x0bd\x1ce.png".encode()]),
        (b"caf\xe9.png\n", [b"caf\xe9.png"]),
        (b"a\nb.png\0\r.png\0", [b"a\nb.png", b"\r.png"]),
        (b"", []),
    ],
)
def test_names_on_standard_input(listed, content, names):
    assert listed(content) == names


def test_among_other_paths(listed):
    assert listed(b"b\nc\n", ["a", "-", "d"]) == [b"a", b"b", b"c", b"d"]
