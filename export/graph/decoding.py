"""Encoded images to a model's pixels, as graph operations that end at no image's fault."""

import tensorflow as tf

from dcgan.data import preprocessing
from export.graph import gif, headers
from export.graph.row_mapping import map_rows

DAMAGED = "file is truncated or corrupt"
NOT_AN_EXAMPLE = "expected a tf.Example with the bytes feature image_bytes"
FEATURE = "image_bytes"


def decode(
    contents: tf.Tensor, *, image_shape: tuple[int, int, int], max_pixels: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes images of any size and colour, crops and scales them.

    Pixels are those of `dcgan.data`, to a grey level. Of an image that announces more than
    `max_pixels`, no more than its header is read.

    Args:
        contents: PNG, JPEG, GIF, BMP or WebP files, shape (batch,), string.
        image_shape: The (height, width, channels) that are wanted; height and width are equal.
        max_pixels: How many pixels an image may have.

    Returns:
        Pixels of shape (batch, *image_shape), uint8, black where there is an error, and the errors
        of shape (batch,), string, empty where there is none.
    """
    found = headers.read(contents)
    black = tf.zeros(image_shape, tf.uint8)

    def decode_row(
        content: tf.Tensor, kind: tf.Tensor, height: tf.Tensor, width: tf.Tensor, error: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        content, error = _measure(content, kind, (height, width), error=error, max_pixels=max_pixels)
        pixels = tf.cond(error == "", lambda: _decode_row(content, kind, image_shape), lambda: black)
        return pixels, error

    inputs = (contents, found.kind, found.height, found.width, found.error)
    pixels, error = map_rows(decode_row, inputs, fallback=(black, tf.constant(DAMAGED)))
    return pixels, error


def parse_examples(examples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Takes the images out of examples.

    Args:
        examples: Serialized `tf.Example`s with the feature `image_bytes`, shape (batch,), string.

    Returns:
        The feature, or an empty string in place of an error, and the errors, both of shape (batch,).
    """

    def parse(example: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        features = {FEATURE: tf.io.FixedLenFeature((), tf.string)}
        return tf.io.parse_single_example(example, features)[FEATURE], tf.constant("")

    fallback = (tf.constant(""), tf.constant(NOT_AN_EXAMPLE))
    contents, error = map_rows(parse, (examples,), fallback=fallback)
    return contents, error


def _measure(
    content: tf.Tensor,
    kind: tf.Tensor,
    size: tuple[tf.Tensor, tf.Tensor],
    *,
    error: tf.Tensor,
    max_pixels: int,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what there is to decode of an image, and what speaks against it."""

    def measure_jpeg() -> tuple[tf.Tensor, tf.Tensor]:
        shape = tf.cast(tf.io.extract_jpeg_shape(content), tf.int64)
        return content, headers.size_error(shape[0], shape[1], max_pixels)

    def measure_gif() -> tuple[tf.Tensor, tf.Tensor]:
        frame, height, width = gif.first_frame(content)
        of_screen = headers.size_error(*size, max_pixels)
        of_frame = headers.size_error(height, width, max_pixels)
        return frame, tf.where(of_screen == "", of_frame, of_screen)

    def measure_other() -> tuple[tf.Tensor, tf.Tensor]:
        return content, tf.where(error == "", headers.size_error(*size, max_pixels), error)

    branches = {
        headers.JPEG: measure_jpeg,
        headers.BMP: measure_other,
        headers.GIF: measure_gif,
    }
    return tf.switch_case(kind, branches, default=measure_other)


def _decode_row(content: tf.Tensor, kind: tf.Tensor, image_shape: tuple[int, int, int]) -> tf.Tensor:
    branches = {
        # TensorFlow's default is a faster, less exact transform.
        headers.JPEG: lambda: tf.io.decode_jpeg(content, dct_method="INTEGER_ACCURATE"),
        headers.BMP: lambda: _decode_bmp(content),
    }
    pixels = tf.switch_case(
        kind, branches, default=lambda: tf.io.decode_image(content, expand_animations=False)
    )
    pixels = tf.ensure_shape(pixels, (None, None, None))
    pixels = preprocessing.prepare(pixels, image_size=image_shape[0], channels=image_shape[2])
    return tf.ensure_shape(pixels, image_shape)


def _decode_bmp(content: tf.Tensor) -> tf.Tensor:
    """Looks palettes up and leaves the fourth byte of 32 bits aside, which is not alpha."""
    pixels = tf.ensure_shape(tf.io.decode_bmp(content), (None, None, None))
    return tf.cond(
        tf.shape(pixels)[-1] == 1, lambda: _look_up(content, pixels[..., 0]), lambda: pixels[..., :3]
    )


def _look_up(content: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    start = 14 + _little(content, 14)
    entries = tf.strings.substr(content, start, _little(content, 10) - start)
    palette = tf.reshape(tf.io.decode_raw(entries, tf.uint8), (-1, 4))
    return tf.gather(palette, tf.cast(indices, tf.int32))[..., 2::-1]


def _little(content: tf.Tensor, start: int) -> tf.Tensor:
    return tf.io.decode_raw(tf.strings.substr(content, start, 4), tf.int32)[0]
