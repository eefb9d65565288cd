"""The generator's moving average, from which images are drawn.

Reference:
    - [Yazici et al., 2019](https://arxiv.org/abs/1806.04498)
"""

import keras
import tensorflow as tf


def copy(generator: keras.Model) -> keras.Model:
    """Returns an untrainable copy of a generator, with its weights."""
    average = keras.models.clone_model(generator)
    average.name, average.trainable = "ema_generator", False
    average.set_weights(generator.get_weights())
    return average


def update(average: keras.Model, generator: keras.Model, *, decay: float, step: tf.Tensor) -> None:
    """Moves the average towards the generator's weights and its batch statistics alike.

    Args:
        average: What `copy` returned.
        generator: The generator, after a step.
        decay: Share of the average that stays, 0 to 1, once it has ramped up.
        step: Steps before this one; the first are soon forgotten.
    """
    step = tf.cast(step, tf.float32)
    rate = 1.0 - tf.minimum(decay, (1.0 + step) / (10.0 + step))
    for mean, weight in zip(average.weights, generator.weights, strict=True):
        mean.assign_add(rate * (weight - mean))
