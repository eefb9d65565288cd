"""Rows without a score: why pixels are refused, and the finite numbers that such a row has.

Numbers that are not finite are no JSON, and no comparison with them says "fake": everything here is
compared so that they fail.
"""

import tensorflow as tf

from dcgan.scoring import DECISIONS, ERROR, NOT_FINITE

VALUES = {"p_fake": 1.0, "decision": ERROR, "familiarity": 0.0, "discriminator_logit": 0.0}
"""A row with an error: a caller that looks at its `p_fake` alone lets no image pass."""

REASONS = (
    "",
    "expected pixels from -1 to 1, found NaN or infinity",
    "expected pixels from -1 to 1, found others beyond; predict_uint8 takes 0 to 255",
    "expected pixels from -1 to 1, found what seem to be pixels from 0 to 1",
    NOT_FINITE,
)
_NO_NUMBER, _BEYOND, _UNSIGNED, _NO_ANSWER = range(1, len(REASONS))
_LARGEST = tf.float32.max
# Scaling may overshoot by about a grey level.
_OVERSHOOT = 0.01
# How far from the nearest grey level a pixel is that was one, in levels; half precision is 0.06 off.
_ROUNDING = 0.125


def of_pixels(images: tf.Tensor) -> tf.Tensor:
    """Finds images that are not in -1 to 1.

    Pixels from 0 to 1 are within that range. But an image that has none below 0, and so no dark ones,
    has them at grey levels, that is at odd multiples of 1 / 255; pixels from 0 to 1 have even ones, too.

    Args:
        images: Shape (batch, height, width, channels), float32.

    Returns:
        Indices in `REASONS`, shape (batch,), int32.
    """
    sizes = tf.abs(images)
    levels = (images + 1.0) * 127.5
    is_level = _all(tf.abs(levels - tf.round(levels)) <= _ROUNDING)
    reason = tf.where(_all(images >= 0.0) & ~is_level, _UNSIGNED, 0)
    reason = tf.where(_all(sizes <= 1.0 + _OVERSHOOT), reason, _BEYOND)
    return tf.where(_all(sizes <= _LARGEST), reason, _NO_NUMBER)


def of_scores(reason: tf.Tensor, scores: dict[str, tf.Tensor]) -> tf.Tensor:
    """Adds rows whose scores are not finite.

    Args:
        reason: What `of_pixels` returned.
        scores: Numbers by name, each of shape (batch,).

    Returns:
        Indices in `REASONS`, shape (batch,), int32.
    """
    is_finite = tf.reduce_all([tf.abs(values) <= _LARGEST for values in scores.values()], axis=0)
    return tf.where(is_finite | (reason > 0), reason, _NO_ANSWER)


def name(numbers: dict[str, tf.Tensor], decision: tf.Tensor, reason: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns outputs, with the values of rows without a score where there is a reason.

    Texts are looked up, not compared: other runtimes can do no more with them.

    Args:
        numbers: Scores by name, each of shape (batch,).
        decision: Indices in `DECISIONS`, shape (batch,), int32.
        reason: What `of_scores` returned.
    """
    is_good = reason == 0
    values = {key: tf.where(is_good, value, VALUES[key]) for key, value in numbers.items()}
    decision = tf.where(is_good, tf.cast(decision, tf.int32), len(DECISIONS))
    return values | {
        "decision": tf.gather(tf.constant((*DECISIONS, ERROR)), decision),
        "error": tf.gather(tf.constant(REASONS), reason),
    }


def replace(outputs: dict[str, tf.Tensor], error: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns outputs with the values of rows without a score where there is an error.

    Args:
        outputs: Values by the names in `VALUES`, each of shape (batch,).
        error: Texts, shape (batch,), string; empty for a row with a score.
    """
    is_good = error == ""
    return {name: tf.where(is_good, outputs[name], VALUES[name]) for name in VALUES} | {"error": error}


def _all(condition: tf.Tensor) -> tf.Tensor:
    return tf.reduce_all(condition, axis=(1, 2, 3))
