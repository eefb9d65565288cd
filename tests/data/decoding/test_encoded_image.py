import io

import numpy as np
import PIL.Image
import pytest

from dcgan.data.decoding import encoded_image, image_file


def encoded(mode, suffix, **options):
    buffer = io.BytesIO()
    PIL.Image.new(mode, (5, 4), options.pop("color", 0)).save(buffer, suffix, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", ["png", "jpeg"])
def test_what_the_server_decodes_passes_unchanged(suffix):
    content = encoded("RGB", suffix)
    assert encoded_image.to_served(content) is content


@pytest.mark.parametrize("suffix", ["gif", "bmp", "tiff", "webp"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_other_formats_become_png(suffix, mode):
    content = encoded(mode, suffix, color=200 if mode == "L" else (200, 10, 30))
    sent = encoded_image.to_served(content)
    assert sent.startswith(b"\x89PNG")
    assert (image_file.decode(sent, np.asarray) == image_file.decode(content, np.asarray)).all()


def test_an_animated_webp_becomes_its_first_frame():
    frames = [PIL.Image.new("RGB", (5, 4), color) for color in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "webp", save_all=True, append_images=frames[1:], lossless=True)
    pixels = image_file.decode(encoded_image.to_served(buffer.getvalue()), np.asarray)
    assert pixels[0, 0].tolist()[:3] == [255, 0, 0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a PNG, JPEG, WebP, BMP, GIF or TIFF image"),
        (b"text", "not a PNG, JPEG, WebP, BMP, GIF or TIFF image"),
        (b"RIFF1234WEBPVP8X", "file is truncated or corrupt"),
        (encoded("RGB", "bmp")[:60], "file is truncated or corrupt"),
    ],
)
def test_what_cannot_be_read(content, reason):
    with pytest.raises(image_file.UnreadableError) as caught:
        encoded_image.to_served(content)
    assert caught.value.reason == reason
