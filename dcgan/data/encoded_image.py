"""Encoded images as a server takes them: what it decodes itself stays, anything else becomes PNG."""

import io

import numpy as np
import PIL.Image

from dcgan.data import image_file


def to_served(content: bytes) -> bytes:
    """Re-encodes an image unless the exported model decodes its format.

    PNG, JPEG and still WebP pass unchanged. The first frame of anything else becomes a PNG.

    Args:
        content: An image file's content, in any of `image_file.FORMATS`.

    Returns:
        The content of a PNG, JPEG or WebP file.

    Raises:
        UnreadableError: If the content is not an image, truncated, corrupt or too large.
    """
    if _is_served(content):
        return content
    buffer = io.BytesIO()
    pixels = image_file.decode_bytes(content)
    PIL.Image.fromarray(np.squeeze(pixels, -1) if pixels.shape[-1] == 1 else pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _is_served(content: bytes) -> bool:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        is_animated = content[12:16] == b"VP8X" and bool(content[20:21] and content[20] & 2)
        return not is_animated
    return content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))
