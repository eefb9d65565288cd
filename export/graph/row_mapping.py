"""A function applied to each row of a batch in a graph, where a row that fails harms no other."""

from collections.abc import Callable, Sequence

import tensorflow as tf


def map_rows(
    function: Callable[..., Sequence[tf.Tensor]],
    inputs: Sequence[tf.Tensor],
    *,
    fallback: Sequence[tf.Tensor],
    parallel_calls: tf.Tensor | int = 4,
) -> list[tf.Tensor]:
    """Applies a function to each row; if an operation in it fails, the row gets the fallback.

    A failing operation ends a whole graph anywhere but in `tf.data`, so this is a small data set.

    Args:
        function: From one row of each input to one row of each output, in graph operations.
        inputs: Tensors of shape (batch, ...); the batch may be empty.
        fallback: One row for each output, of the output's shape and dtype.
        parallel_calls: How many rows are computed at the same time. Defaults to 4.

    Returns:
        The outputs, each of shape (batch, ...).
    """
    count = tf.shape(inputs[0], out_type=tf.int64)[0]
    dataset = tf.data.Dataset.from_tensor_slices((tf.range(count), *inputs))
    dataset = dataset.map(
        lambda index, *row: (index, *function(*row)),
        num_parallel_calls=parallel_calls,
        deterministic=True,
    ).ignore_errors()
    # One more row, so that there is something to batch even if every row fails.
    sentinel = tf.data.Dataset.from_tensors((count, *fallback))
    options = tf.data.Options()
    # Both pay only in data sets that run for long.
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    dataset = dataset.concatenate(sentinel).batch(count + 1).with_options(options)
    indices, *outputs = dataset.get_single_element()
    return [
        _scatter(indices, output, count=count, row=row)
        for output, row in zip(outputs, fallback, strict=True)
    ]


def _scatter(indices: tf.Tensor, rows: tf.Tensor, *, count: tf.Tensor, row: tf.Tensor) -> tf.Tensor:
    shape = tf.concat([[count + 1], tf.shape(row, out_type=tf.int64)], axis=0)
    filled = tf.broadcast_to(row, shape)
    scattered = tf.tensor_scatter_nd_update(filled, indices[:, tf.newaxis], rows)[:count]
    return tf.ensure_shape(scattered, [None, *row.shape])
