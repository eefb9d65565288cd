"""Names of the files to score, from the command line and from standard input."""

import codecs
import os
import pathlib
import sys
from collections.abc import Iterable, Iterator

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def names(paths: Iterable[pathlib.Path]) -> Iterator[pathlib.Path]:
    """Yields paths, and in the place of `-` those that standard input lists."""
    for path in paths:
        if str(path) == "-":
            yield from map(pathlib.Path, _parse(sys.stdin.buffer.read()))
        else:
            yield path


def _parse(content: bytes) -> Iterator[str]:
    """Yields the names in a list: one a line or, as of `find -print0`, each ended by a null byte."""
    if content.startswith(_UTF_16):
        content = content.decode("utf-16", "replace").encode()
    content = content.removeprefix(codecs.BOM_UTF8)
    separator = b"\0" if b"\0" in content else b"\n"
    for name in content.split(separator):
        if name := name if separator == b"\0" else name.removesuffix(b"\r"):
            yield os.fsdecode(name)
