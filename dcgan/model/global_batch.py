"""Means over the global batch, of which every replica of a strategy holds a share.

Where a batch does not divide evenly, replicas hold different numbers of images, and some may hold none.
"""

import tensorflow as tf


def fill_empty(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Gives a replica without images a grey one that counts for nothing.

    So no network and no loss has to cope with an empty batch.

    Args:
        images: Shape (batch, height, width, channels), float32.

    Returns:
        The images, and their weights: shape (batch,), float32, 1 for each image and 0 for the grey one.
    """
    if _replicas() == 1:
        return images, tf.ones(tf.shape(images)[:1])
    empty = tf.cast(tf.equal(tf.shape(images)[0], 0), tf.int32)
    images = tf.pad(images, [[0, empty], [0, 0], [0, 0], [0, 0]])
    return images, tf.fill(tf.shape(images)[:1], tf.cast(1 - empty, tf.float32))


def fill_empty_labels(labels: tf.Tensor | None, weights: tf.Tensor) -> tf.Tensor | None:
    """Gives the grey image of `fill_empty` a label, 0, that counts for nothing.

    Args:
        labels: Shape (batch,), integers; None passes.
        weights: What `fill_empty` returned.
    """
    if labels is None or _replicas() == 1:
        return labels
    return tf.pad(labels, [[0, tf.shape(weights)[0] - tf.shape(labels)[0]]])


def per_image(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Averages all but the first axis; a scalar counts for every image. Returns (batch,), float32."""
    values = tf.cast(values, tf.float32)
    if values.shape.rank == 0:
        return tf.fill(tf.shape(weights), values)
    return tf.reduce_mean(tf.reshape(values, [tf.shape(weights)[0], -1]), axis=1)


def share_of_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Returns a replica's share of the mean over the global batch; gradients are summed over replicas.

    Args:
        values: A loss for each image, shape (batch, ...), or one for all, a scalar.
        weights: Shape (batch,), from `fill_empty`.

    Returns:
        A float32 scalar. The shares of all replicas add up to the mean.
    """
    return tf.reduce_sum(weights * per_image(values, weights)) / sum_over_replicas(
        tf.reduce_sum(weights)
    )


def sum_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """Adds up a number or array of each replica; every replica gets the sum."""
    if _replicas() == 1:
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)


def _replicas() -> int:
    return tf.distribute.get_strategy().num_replicas_in_sync
