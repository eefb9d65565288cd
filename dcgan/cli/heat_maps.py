"""`dcgan score --explain`: a picture of each file, in folders like the files' own."""

import hashlib
import os
import pathlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from dcgan.errors import InputError
from dcgan.system import files, texts

if TYPE_CHECKING:
    import numpy as np

    from dcgan.detector.detector_model import Detector

# File systems take 255 bytes; the temporary name of a file is a little longer than its own.
_LONGEST = 200
_OUTSIDE = "_outside"


def writer(detector: "Detector", directory: pathlib.Path) -> "Callable[[list[str], np.ndarray], None]":
    """Returns what writes each image beside its heat map.

    A picture that cannot be written is told on standard error and ends nothing, unless the disk is
    full.

    Args:
        detector: The detector.
        directory: Where pictures go.

    Raises:
        InputError: If the directory cannot be made.
    """
    from dcgan import images as pixels
    from dcgan.detector import saliency

    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--explain: expected a directory for pictures. Received: {directory} ({error.strerror})"
        ) from None

    def write(names: "list[str]", images: "np.ndarray") -> None:
        for name, image, heat in zip(names, images, saliency.heat_maps(detector, images), strict=True):
            picture = saliency.overlay(image, heat)
            try:
                pixels.save_png(path_of(name, directory), picture)
            except OSError as error:
                if files.is_full(error):
                    raise
                print(f"{texts.printable(name)}: no heat map ({error.strerror})", file=sys.stderr)

    return write


def path_of(name: str, directory: pathlib.Path) -> pathlib.Path:
    """Returns where a file's picture goes.

    Args:
        name: The file's path. If the file is below the working directory the picture has the same
            folders; else it is in `_outside` with all folders of the path.
        directory: Where pictures go.
    """
    path = pathlib.Path(name)
    path = path.resolve() if ".." in path.parts else path.absolute()
    here = pathlib.Path.cwd()
    inside = path.is_relative_to(here)
    parts = path.relative_to(here).parts if inside else (_OUTSIDE, *path.parts[1:])
    return directory.joinpath(*parts[:-1], _shorten(parts[-1]) + ".png")


def _shorten(name: str) -> str:
    """Returns a name that is short enough, and another one for each name."""
    encoded = os.fsencode(name)
    if len(encoded) <= _LONGEST:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:16]
    return f"{os.fsdecode(encoded[: _LONGEST - 20]).encode('utf-8', 'ignore').decode()}-{digest}"
