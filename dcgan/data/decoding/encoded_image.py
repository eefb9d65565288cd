"""Encoded images as a server takes them: what it decodes itself stays, anything else becomes PNG."""

import io

import numpy as np
import PIL.Image

from dcgan.data.decoding import image_file, image_formats

_SERVED = (image_formats.PNG_START, image_formats.JPEG_START)
# Enough for images that are sent once.
_COMPRESSION = 1


def to_served(content: bytes) -> bytes:
    """Re-encodes an image unless the exported model decodes its format.

    PNG and JPEG pass unchanged. The first frame of anything else becomes a PNG, upright: not all
    versions of the server decode WebP, and none decodes the first frame of an animated one.

    Args:
        content: An image file's content, in any of `image_formats.FORMATS`.

    Returns:
        The content of a PNG or JPEG file.

    Raises:
        UnreadableError: If the content is not an image, truncated, corrupt or too large.
    """
    image_file.check_size(len(content), "image")
    return content if content.startswith(_SERVED) else image_file.decode(content, _to_png)


def _to_png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    image = PIL.Image.fromarray(np.squeeze(pixels, -1) if pixels.shape[-1] == 1 else pixels)
    image.save(buffer, "PNG", compress_level=_COMPRESSION)
    return buffer.getvalue()
