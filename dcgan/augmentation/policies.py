"""DiffAugment: the same random distortions for reals and fakes, which gradients pass through.

Reference:
    - [Zhao et al., 2020](https://arxiv.org/abs/2006.10738)
"""

from collections.abc import Callable

import tensorflow as tf

from dcgan.config import ADAPTIVE, Augmentation
from dcgan.errors import InputError

# The paper's strengths.
_BRIGHTNESS, _SATURATION, _CONTRAST = 1.0, 2.0, 1.0
_SHIFT = 0.125
_CUTOUT = 0.5


def diff_augment(images: tf.Tensor, policy: str, *, seed: tf.Tensor) -> tf.Tensor:
    """Distorts each image on its own, at random; never flips.

    Args:
        images: Shape (batch, height, width, channels), float32, -1 to 1.
        policy: Any of "color", "translation" and "cutout", joined by commas; "" leaves the images as
            they are.
        seed: Shape (2,), int32 or int64; the same seed gives the same distortions.

    Returns:
        Shape (batch, height, width, channels), float32; colours may leave -1 to 1.

    Raises:
        InputError: If `policy` names something else.
    """
    for index, name in enumerate(parse_policy(policy)):
        seeds = tf.random.experimental.stateless_split(
            tf.random.experimental.stateless_fold_in(seed, index), 3
        )
        images = POLICIES[name](images, seeds)
    return images


def parse_policy(policy: str) -> list[str]:
    """Splits a policy into the names of its distortions; raises `InputError` if one is unknown."""
    names = [name.strip() for name in policy.split(",") if name.strip()]
    for name in names:
        if name not in POLICIES:
            raise InputError(
                f"augmentation: expected {ADAPTIVE}, or any of {', '.join(POLICIES)}, joined by commas. "
                f"Received: {policy!r}"
            )
    return names


def _color(images: tf.Tensor, seeds: tf.Tensor) -> tf.Tensor:
    """Shifts brightness, then scales saturation around grey and contrast around the mean."""
    shape = [tf.shape(images)[0], 1, 1, 1]
    images += _BRIGHTNESS * tf.random.stateless_uniform(shape, seeds[0], -0.5, 0.5)
    if images.shape[-1] == 3:
        grey = tf.reduce_mean(images, axis=3, keepdims=True)
        saturation = _SATURATION * tf.random.stateless_uniform(shape, seeds[1])
        images = (images - grey) * saturation + grey
    mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
    contrast = 1.0 + _CONTRAST * tf.random.stateless_uniform(shape, seeds[2], -0.5, 0.5)
    return (images - mean) * contrast + mean


def _translation(images: tf.Tensor, seeds: tf.Tensor) -> tf.Tensor:
    """Moves each image by up to an eighth of its sides; what comes in is black (-1)."""
    for axis in (1, 2):
        size = images.shape[axis]
        reach = int(size * _SHIFT + 0.5)
        shift = tf.random.stateless_uniform(
            [tf.shape(images)[0], 1], seeds[axis - 1], -reach, reach + 1, dtype=tf.int32
        )
        padding = [[0, 0]] * 4
        padding[axis] = [reach, reach]
        padded = tf.pad(images, padding, constant_values=-1.0)
        images = tf.gather(padded, tf.range(size) + reach + shift, axis=axis, batch_dims=1)
    return images


def _cutout(images: tf.Tensor, seeds: tf.Tensor) -> tf.Tensor:
    """Sets a square of half the image's side, centred anywhere, to mid-grey (0)."""
    inside = []
    for axis in (1, 2):
        size = images.shape[axis]
        side = int(size * _CUTOUT + 0.5)
        centre = tf.random.stateless_uniform(
            [tf.shape(images)[0], 1], seeds[axis - 1], 0, size + (1 - side % 2), dtype=tf.int32
        )
        offset = tf.range(size) - (centre - side // 2)
        inside.append((offset >= 0) & (offset < side))
    hole = inside[0][:, :, None, None] & inside[1][:, None, :, None]
    return tf.where(hole, tf.zeros_like(images), images)


POLICIES: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    Augmentation.COLOR: _color,
    Augmentation.TRANSLATION: _translation,
    Augmentation.CUTOUT: _cutout,
}
