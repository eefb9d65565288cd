"""One image file: what its header says, and its pixels, upright.

Pixels are those of TensorFlow's decoders: the high byte of 16-bit images, the first frame of
animations, palettes resolved (with alpha if they have any).
"""

import contextlib
import dataclasses
import io
import os
import pathlib
import stat
import warnings
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import PIL.Image

from dcgan import errors
from dcgan.data.decoding import image_formats, orientation
from dcgan.data.decoding.pixel_budget import PixelBudget
from dcgan.data.folders import folder_walk

_GREY_MODES = ("1", "L", "LA", "La")
_PLAIN_MODES = ("L", "LA", "RGB", "RGBA")
_16_BITS = "I;16"
_32_BITS = ("I", "F")
# What a mode that is not plain becomes; all others become RGB.
_CONVERTED = {"1": "L", "La": "LA", "RGBa": "RGBA", "PA": "RGBA"}
_STRIP = 2**22
_IN_FLIGHT = PixelBudget(image_formats.MAX_PIXELS)

_Source = pathlib.Path | io.BytesIO
_T = TypeVar("_T")


class UnreadableError(errors.InputError):
    """An image file cannot be read; `reason` says why without naming it."""

    def __init__(self, name: pathlib.Path | str, reason: str) -> None:
        super().__init__(f"{name}: expected an image that can be read ({reason})")
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class Header:
    """What a file states of its image: pixels down and across as decoded, and 1 or 3 channels."""

    height: int
    width: int
    channels: int


def decode_file(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads an image file.

    Args:
        path: A file as in `image_formats`: PNG, JPEG, WebP, BMP, GIF or TIFF.

    Returns:
        Shape (height, width, channels), uint8; 1 channel for grey, 2 for grey and alpha, 3 for RGB,
        4 for RGB and alpha.

    Raises:
        InputError: If the file is missing, not an image, truncated, corrupt or too large.

    Example:
        >>> pixels = dcgan.data.decode_file("photos/0000.png")
        >>> pixels.shape
        (40, 48, 3)
        >>> dcgan.data.prepare(pixels, image_size=32, channels=1).shape
        TensorShape([32, 32, 1])
    """
    with without_warnings():
        return decode(pathlib.Path(path), np.asarray)


def _ignore(image: PIL.Image.Image) -> None:
    """Looks at nothing."""


def decode(
    source: pathlib.Path | bytes,
    prepare: Callable[[np.ndarray], _T],
    *,
    look: Callable[[PIL.Image.Image], None] = _ignore,
) -> _T:
    """Decodes an image in any thread; the caller handles Pillow's warnings.

    Threads wait for each other where their images together have more than
    `image_formats.MAX_PIXELS`.

    Args:
        source: A file or its content.
        prepare: Makes what is wanted of the pixels, which are what `decode_file` returns.
        look: Looks at the opened image before it is decoded. Defaults to nothing.

    Returns:
        What `prepare` returned.

    Raises:
        UnreadableError: As for `decode_file`.
    """
    with contextlib.ExitStack() as stack:
        with _open(_check(source)) as image:
            stack.enter_context(_IN_FLIGHT.hold(image.width * image.height))
            look(image)
            # Before decoding: Pillow then adds what comes after the pixels, which no server looks at.
            exif = _exif(image)
            pixels = orientation.apply(_to_pixels(_to_plain(image)), orientation.read(exif))
            image.close()
        return prepare(pixels)


def read_header(source: pathlib.Path | bytes) -> Header:
    """Reads an image's size and colours without its pixels, in any thread.

    Args:
        source: A file or its content.

    Returns:
        The size, and 1 channel for any kind of grey or 3 for any kind of colour.

    Raises:
        InputError: If the file is missing, not an image or too large.
    """
    with _open(_check(source)) as image:
        turned = orientation.read(_exif(image)) in orientation.TRANSPOSED
        width, height = image.size[::-1] if turned else image.size
        is_grey = image.mode in _GREY_MODES or image.mode.startswith(_16_BITS)
        return Header(height, width, 1 if is_grey else 3)


def larger(shape: tuple[int, int, int], pixels: tuple[int, ...]) -> tuple[int, int, int]:
    """Returns the larger height and width of two images, and 3 channels if one of them has colour.

    Args:
        shape: The first one's height, width and 1 or 3 channels.
        pixels: The other's height, width and channels, with alpha or without.
    """
    height, width = max(shape[:2], pixels[:2])
    return height, width, max(shape[2], 1 if pixels[2] < 3 else 3)


def check_file(path: pathlib.Path) -> None:
    """Raises an `UnreadableError` if there is no such file, or one that is too large."""
    if reason := folder_walk.why_no_file(path):
        raise UnreadableError(path, reason)
    check_size(path.stat().st_size, path)


def check_size(count: int, name: pathlib.Path | str) -> None:
    """Raises an `UnreadableError` if a file has too many bytes.

    Args:
        count: How many it has.
        name: What the error names.
    """
    if count > image_formats.MAX_BYTES:
        raise UnreadableError(name, image_formats.too_many_bytes(count))


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Silences Pillow's warnings of large images, which a lower limit here refuses.

    Warning filters belong to the whole process, so enter this from one thread only.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
        yield


def _check(source: pathlib.Path | bytes) -> _Source:
    """Returns something that Pillow opens, of an acceptable size."""
    if isinstance(source, pathlib.Path):
        # Nothing else: folders of millions of files are read this way.
        if not (status := _stat(source)):
            raise UnreadableError(source, folder_walk.why_no_file(source) or folder_walk.MISSING)
        check_size(status.st_size, source)
        return source
    check_size(len(source), "image")
    return io.BytesIO(source)


def _stat(path: pathlib.Path) -> os.stat_result | None:
    """Returns a file's status; None if there is no file."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return status if stat.S_ISREG(status.st_mode) else None


@contextlib.contextmanager
def _open(source: _Source) -> Iterator[PIL.Image.Image]:
    """Opens an image of acceptable size; whatever a decoder raises becomes an `UnreadableError`."""
    name = source if isinstance(source, pathlib.Path) else "image"
    try:
        with PIL.Image.open(source, formats=tuple(image_formats.FORMATS)) as image:
            _check_image(image, name)
            if image.width * image.height > image_formats.HALVED_ABOVE:
                # JPEG decoders can; others ignore it.
                image.draft(None, (image.width // 2, image.height // 2))
            yield image
    except errors.InputError:
        raise
    except PermissionError as error:
        raise UnreadableError(name, error.strerror or str(error)) from error
    except PIL.UnidentifiedImageError as error:
        raise UnreadableError(name, image_formats.UNKNOWN) from error
    except PIL.Image.DecompressionBombError as error:
        raise UnreadableError(name, image_formats.too_many_pixels("far more")) from error
    except MemoryError as error:
        raise UnreadableError(name, image_formats.NO_MEMORY) from error
    except Exception as error:  # Decoders raise errors of many types on damaged files.
        raise UnreadableError(name, image_formats.DAMAGED) from error


def _check_image(image: PIL.Image.Image, name: pathlib.Path | str) -> None:
    size = f"{image.width} x {image.height}"
    if image.width * image.height > image_formats.MAX_PIXELS:
        raise UnreadableError(name, image_formats.too_many_pixels(size))
    if max(image.size) > image_formats.MAX_SIDE:
        raise UnreadableError(name, image_formats.too_long(size))
    if image.mode in _32_BITS:
        raise UnreadableError(name, image_formats.DEEP)


def _exif(image: PIL.Image.Image) -> bytes:
    """Returns an image's EXIF block; TIFF has none, and Pillow turns it upright itself."""
    return image.info.get("exif", b"")


def _to_plain(image: PIL.Image.Image) -> PIL.Image.Image:
    """Converts to a mode whose pixels can be used directly."""
    if image.mode in _PLAIN_MODES or image.mode.startswith(_16_BITS):
        return image
    if image.mode == "P" and image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert(_CONVERTED.get(image.mode, "RGB"))


def _to_pixels(image: PIL.Image.Image) -> np.ndarray:
    image.load()
    rows = max(1, _STRIP // image.width)
    if image.height <= rows and not image.mode.startswith(_16_BITS):
        return np.asarray(image).reshape(image.height, image.width, -1)
    pixels = np.empty((image.height, image.width, len(image.getbands())), np.uint8)
    # Pillow copies what it hands over, so a large image is taken in strips.
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        strip = np.asarray(image.crop((0, top, image.width, bottom)))
        levels = strip if strip.dtype == np.uint8 else (strip >> 8).astype(np.uint8)
        pixels[top:bottom] = levels.reshape(bottom - top, image.width, -1)
    return pixels
