"""One image file: what its header says, and its pixels.

Pixels are those of TensorFlow's decoders: the high byte of 16-bit images, the first frame of
animations, palettes resolved (with alpha if they have any), EXIF orientation ignored.
"""

import contextlib
import dataclasses
import io
import os
import pathlib
import warnings
from collections.abc import Iterator

import numpy as np
import PIL.Image

from dcgan import errors
from dcgan.data import folder_walk

# Pillow's name of each format that is read, and its suffixes.
FORMATS = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
}
SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
MAX_PIXELS = 64 * 2**20

_UNKNOWN = "not a PNG, JPEG, WebP, BMP, GIF or TIFF image"
_GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L")
_HIGH_BYTE_MODES = ("I", "I;16", "I;16B", "I;16L")
_PLAIN_MODES = ("L", "LA", "RGB", "RGBA")


class UnreadableError(errors.InputError):
    """An image file cannot be read; `reason` says why without naming it."""

    def __init__(self, name: pathlib.Path | str, reason: str) -> None:
        super().__init__(f"{name}: expected an image that can be read ({reason})")
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class Header:
    """What a file states of its image: pixels down and across, and 1 or 3 channels of colour."""

    height: int
    width: int
    channels: int


def decode_file(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads an image file.

    Args:
        path: A PNG, JPEG, WebP, BMP, GIF or TIFF file of at most `MAX_PIXELS` pixels.

    Returns:
        Shape (height, width, channels), uint8; 1 channel for grey, 2 for grey and alpha, 3 for RGB,
        4 for RGB and alpha.

    Raises:
        InputError: If the file is missing, not an image, truncated, corrupt or too large.

    Example:
        >>> pixels = decode_file("face.jpg")
        >>> preprocessing.prepare(tf.constant(pixels), image_size=64, channels=3)
    """
    with without_warnings():
        return decode(pathlib.Path(path))


def decode(path: pathlib.Path) -> np.ndarray:
    """Does the same as `decode_file` in any thread; the caller handles Pillow's warnings."""
    check_file(path)
    with _open(path) as image:
        return _to_pixels(image)


def decode_bytes(content: bytes) -> np.ndarray:
    """Does what `decode` does, with a file's content."""
    with _open(io.BytesIO(content)) as image:
        return _to_pixels(image)


def read_header(path: pathlib.Path) -> Header:
    """Reads an image file's size and colours without its pixels, in any thread.

    Args:
        path: The file, as for `decode_file`.

    Returns:
        The size, and 1 channel for any kind of grey or 3 for any kind of colour.

    Raises:
        InputError: If the file is missing, not an image or too large.
    """
    check_file(path)
    with _open(path) as image:
        return Header(image.height, image.width, 1 if image.mode in _GREY_MODES else 3)


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Silences Pillow's warnings of large images, which a lower limit here refuses.

    Warning filters belong to the whole process, so enter this from one thread only.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
        yield


@contextlib.contextmanager
def _open(source: pathlib.Path | io.BytesIO) -> Iterator[PIL.Image.Image]:
    """Opens an image of acceptable size; whatever a decoder raises becomes an `UnreadableError`."""
    name = source if isinstance(source, pathlib.Path) else "image"
    try:
        with PIL.Image.open(source, formats=tuple(FORMATS)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableError(name, _too_large(f"{image.width} x {image.height}"))
            yield image
    except errors.InputError:
        raise
    except PIL.UnidentifiedImageError as error:
        raise UnreadableError(name, _UNKNOWN) from error
    except PIL.Image.DecompressionBombError as error:
        raise UnreadableError(name, _too_large("far more")) from error
    except Exception as error:  # Decoders raise errors of many types on damaged files.
        raise UnreadableError(name, "file is truncated or corrupt") from error


def check_file(path: pathlib.Path) -> None:
    """Raises an `UnreadableError` if there is no such file."""
    if reason := folder_walk.why_no_file(path):
        raise UnreadableError(path, reason)


def _too_large(size: str) -> str:
    return f"{size} pixels are more than the {MAX_PIXELS} allowed"


def _to_plain(image: PIL.Image.Image) -> PIL.Image.Image:
    """Converts to a mode whose pixels can be used directly."""
    if image.mode in _PLAIN_MODES or image.mode in _HIGH_BYTE_MODES:
        return image
    if image.mode == "1":
        return image.convert("L")
    alpha = image.mode in ("P", "PA") and image.has_transparency_data
    return image.convert("RGBA" if alpha else "RGB")


def _to_pixels(image: PIL.Image.Image) -> np.ndarray:
    pixels = np.asarray(_to_plain(image))
    if pixels.dtype != np.uint8:
        pixels = (pixels >> 8).astype(np.uint8)
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
