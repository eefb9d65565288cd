"""Which image files are read: one table for training, local scoring, exported models and their clients.

| format | kinds | an exported model | pixels |
| --- | --- | --- | --- |
| PNG | grey, colour, palette, alpha, 1 to 16 bits | decodes it | of the first frame |
| JPEG | grey, colour, CMYK, progressive | decodes it | halved above `HALVED_ABOVE` |
| WebP, GIF, BMP, TIFF | grey, colour, palette, alpha, 1 to 16 bits | gets a PNG | of the first frame |

A file may have up to `MAX_BYTES`, an image up to `MAX_PIXELS` and `MAX_SIDE`. EXIF orientation is
applied. Of 16 bits the high byte counts; pixels of 32 bits have no range and are refused.
"""

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

PNG_START, JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
"""First bytes of the formats that the exported model decodes, on every version of the server."""

MAX_PIXELS = 2**26
"""The most pixels that an image may have."""

MAX_SIDE = 65_500
"""The most pixels that a side may have, which is what libjpeg decodes."""

MAX_BYTES = 2**28
"""The largest file: as many pixels in colour with alpha, uncompressed."""

HALVED_ABOVE = 2**24
"""A JPEG with more pixels is decoded at half its size, in a quarter of the memory."""

UNKNOWN = "not a PNG, JPEG, WebP, BMP, GIF or TIFF image"
NOT_SERVED = "not a PNG or JPEG image"
DAMAGED = "file is truncated or corrupt"
NO_MEMORY = "not enough memory to decode it"
DEEP = "pixels of 32 bits; expected 8 or 16"


def too_many_bytes(count: int | str) -> str:
    """Says that a file is too large.

    Args:
        count: How many bytes it has.
    """
    return f"{count} bytes are more than the {MAX_BYTES} allowed"


def too_many_pixels(size: str, limit: int = MAX_PIXELS) -> str:
    """Says that an image is too large.

    Args:
        size: Its pixels across and down.
        limit: How many pixels it may have. Defaults to `MAX_PIXELS`.
    """
    return f"{size} pixels are more than the {limit} allowed"


def too_long(size: str) -> str:
    """Says that a side of an image is too long.

    Args:
        size: Its pixels across and down.
    """
    return f"{size} pixels are more than the {MAX_SIDE} allowed a side"
