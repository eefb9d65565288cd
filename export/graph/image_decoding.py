"""Encoded images to a model's pixels, as graph operations that no image can make fail."""

import tensorflow as tf

from dcgan.data import preprocessing
from export import tf_examples
from export.graph import image_headers
from export.graph.row_mapping import map_rows

DAMAGED = "file is truncated or corrupt"


def decode(
    contents: tf.Tensor, *, image_shape: tuple[int, int, int], max_pixels: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes, crops and scales images of any size and colour.

    The pixels are those of `dcgan.data`, to a grey level. If an image announces more than
    `max_pixels`, only its header is read.

    Args:
        contents: PNG, JPEG or WebP files, shape (batch,), string.
        image_shape: The wanted (height, width, channels); height and width are equal.
        max_pixels: How many pixels an image may have.

    Returns:
        Pixels of shape (batch, *image_shape), uint8, black where there is an error; and the errors,
        shape (batch,), string, empty where there is none.
    """
    black = tf.zeros(image_shape, tf.uint8)

    def decode_row(
        content: tf.Tensor, is_jpeg: tf.Tensor, height: tf.Tensor, width: tf.Tensor, error: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        size = tf.cond(is_jpeg, lambda: _jpeg_size(content), lambda: (height, width))
        error = tf.where(error == "", image_headers.size_error(size[0], size[1], max_pixels), error)
        return tf.cond(error == "", lambda: to_pixels(content, is_jpeg), lambda: black), error

    def to_pixels(content: tf.Tensor, is_jpeg: tf.Tensor) -> tf.Tensor:
        pixels = tf.cond(
            is_jpeg,
            # TensorFlow's default is a faster, less exact transform.
            lambda: tf.io.decode_jpeg(content, dct_method="INTEGER_ACCURATE"),
            lambda: tf.io.decode_image(content, expand_animations=False),
        )
        pixels = tf.ensure_shape(pixels, (None, None, None))
        pixels = preprocessing.prepare(pixels, image_size=image_shape[0], channels=image_shape[2])
        return tf.ensure_shape(pixels, image_shape)

    inputs = (contents, *image_headers.read(contents))
    pixels, error = map_rows(decode_row, inputs, fallback=(black, tf.constant(DAMAGED)))
    return pixels, error


def parse_examples(examples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Takes the images out of examples.

    Args:
        examples: Serialized `tf.Example`s with the feature `image_bytes`, shape (batch,), string.

    Returns:
        The feature, empty where there is an error; and the errors. Both have shape (batch,).
    """

    def parse(example: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        features = {tf_examples.FEATURE: tf.io.FixedLenFeature((), tf.string)}
        return tf.io.parse_single_example(example, features)[tf_examples.FEATURE], tf.constant("")

    fallback = (tf.constant(""), tf.constant(tf_examples.INVALID))
    contents, error = map_rows(parse, (examples,), fallback=fallback)
    return contents, error


def _jpeg_size(content: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    shape = tf.cast(tf.io.extract_jpeg_shape(content), tf.int64)
    return shape[0], shape[1]
