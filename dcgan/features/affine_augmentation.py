"""Small affine variations of training images; never flips, which make other digits."""

import tensorflow as tf

_SHIFT = 0.07
_DEGREES = 10.0
_ZOOM = 0.1
_SHEAR = 0.15


def vary(images: tf.Tensor, *, seed: tf.Tensor) -> tf.Tensor:
    """Turns, zooms, shears and shifts each image a little, in one bilinear interpolation.

    Args:
        images: Shape (batch, height, width, channels), float32.
        seed: Shape (2,), int. The same seed gives the same variations.

    Returns:
        The same shape and dtype; pixels from beyond the border repeat the border.
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=_transforms(tf.shape(images), seed),
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _transforms(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws one map from output to input pixels an image, shape (batch, 8), about the centre."""
    draws = tf.random.stateless_uniform((6, shape[0]), seed, minval=-1.0, maxval=1.0)
    angle = draws[0] * (_DEGREES * 3.14159265 / 180)
    shear = draws[1] * _SHEAR
    zoom_x, zoom_y = 1 + draws[2] * _ZOOM, 1 + draws[3] * _ZOOM
    a, b = zoom_x * tf.cos(angle), zoom_x * (shear * tf.cos(angle) - tf.sin(angle))
    c, d = zoom_y * tf.sin(angle), zoom_y * (shear * tf.sin(angle) + tf.cos(angle))
    height, width = tf.cast(shape[1], tf.float32), tf.cast(shape[2], tf.float32)
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    shift_x = middle_x - a * middle_x - b * middle_y + draws[4] * _SHIFT * width
    shift_y = middle_y - c * middle_x - d * middle_y + draws[5] * _SHIFT * height
    nothing = tf.zeros_like(a)
    return tf.stack([a, b, shift_x, c, d, shift_y, nothing, nothing], axis=1)
