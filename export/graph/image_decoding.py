"""Encoded images to a model's pixels, as graph operations that no image can make fail."""

import tensorflow as tf

from dcgan.data import preprocessing
from dcgan.data.decoding import image_formats
from export import tf_examples
from export.graph import exif, image_headers
from export.graph.image_headers import Headers
from export.graph.row_mapping import map_rows

# So many images of a batch are decoded at the same time; one, if any of them is large.
_AT_ONCE = 4
_LARGE = 2**22


def decode(
    contents: tf.Tensor, *, image_shape: tuple[int, int, int], max_pixels: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes, turns upright, crops and scales images of any size and colour.

    The pixels are those of `dcgan.data`, to a grey level. If an image announces more than
    `max_pixels`, only its header is read. A batch with a large image is decoded one image at
    a time.

    Args:
        contents: PNG or JPEG files, shape (batch,), string.
        image_shape: The wanted (height, width, channels); height and width are equal.
        max_pixels: How many pixels an image may have.

    Returns:
        Pixels of shape (batch, *image_shape), uint8, black where there is an error; and the errors,
        shape (batch,), string, empty where there is none.
    """
    black = tf.zeros(image_shape, tf.uint8)

    def decode_row(content: tf.Tensor, *header: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found = Headers(*header)
        return tf.cond(found.error == "", lambda: to_pixels(content, found), lambda: black), found.error

    def to_pixels(content: tf.Tensor, header: Headers) -> tf.Tensor:
        pixels = tf.cond(
            header.is_jpeg,
            lambda: _decode_jpeg(content, header.height * header.width),
            lambda: tf.io.decode_png(content),
        )
        pixels = exif.turn_upright(tf.ensure_shape(pixels, (None, None, None)), header.orientation)
        pixels = preprocessing.prepare(pixels, image_size=image_shape[0], channels=image_shape[2])
        return tf.ensure_shape(pixels, image_shape)

    headers = image_headers.read(contents, max_pixels=max_pixels)
    is_large = headers.height * headers.width > _LARGE
    pixels, error = map_rows(
        decode_row,
        (contents, *headers),
        fallback=(black, tf.constant(image_formats.DAMAGED)),
        parallel_calls=tf.where(tf.reduce_any(is_large), tf.constant(1, tf.int64), _AT_ONCE),
    )
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


def _decode_jpeg(content: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    def decode(ratio: int) -> tf.Tensor:
        # TensorFlow's default is a faster, less exact transform.
        return tf.io.decode_jpeg(content, ratio=ratio, dct_method="INTEGER_ACCURATE")

    return tf.cond(size > image_formats.HALVED_ABOVE, lambda: decode(2), lambda: decode(1))
