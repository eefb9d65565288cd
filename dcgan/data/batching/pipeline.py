"""From images to shuffled, normalised batches.

The images stay uint8 where they are, in an array or a file; what flows through the pipeline are
their positions, which are gathered and normalised a whole batch at a time. The order of each pass is a
pure function of seed and pass, so a resumed run needs no saved state.
"""

import numpy as np
import tensorflow as tf

from dcgan import errors
from dcgan.data.indexed_images import Images, IndexedImages

# Batches prepared in advance.
_AHEAD = 4


def batches(
    images: Images,
    batch_size: int,
    *,
    labels: np.ndarray | None = None,
    seed: int = 0,
    shuffle: bool = True,
    repeat: bool = False,
    first_epoch: int = 0,
) -> tf.data.Dataset:
    """Returns the images as batches for training or evaluation.

    Args:
        images: Shape (count, height, width, channels), uint8, 0 to 255.
        batch_size: Images a batch; under `tf.distribute`, over all replicas together.
        labels: Shape (count,), integers; they then come beside the images. Defaults to None.
        seed: Seed of the order, together with TensorFlow's global seed where `repeat` is False.
            Defaults to 0.
        shuffle: Use another order in every epoch and drop an incomplete last batch. Defaults to
            True; False keeps the order and all images.
        repeat: Repeat for ever; no batch spans two epochs. Defaults to False: each iteration over the
            dataset is the next epoch.
        first_epoch: The epoch that a repeated stream starts with; its batches are those of a stream
            from 0 after as many epochs. Defaults to 0.

    Returns:
        A dataset of float32 batches, shape (batch_size, height, width, channels), -1 to 1; with
        `labels` of pairs of those and int32, shape (batch_size,).

    Raises:
        InputError: If `batch_size` is below 1, or above the number of images that are shuffled, or
            there is not one label for each image.

    Example:
        >>> dataset = dcgan.batches(dcgan.load_images("mnist").images, 64, seed=1)
        >>> history = model.fit(dataset, epochs=50)
    """
    count = len(images)
    _check(count, batch_size, shuffle=shuffle)
    if labels is not None and np.shape(labels) != (count,):
        raise errors.InputError(f"labels: expected {count}, one for each image, received {len(labels)}")
    drop = shuffle or count % batch_size == 0
    steps = count // batch_size if drop else -(-count // batch_size)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        positions = tf.range(count, dtype=tf.int64)
        if shuffle:
            positions = tf.random.experimental.stateless_shuffle(
                positions, seed=tf.stack([tf.cast(seed, tf.int64), epoch]), alg="philox"
            )
        return tf.data.Dataset.from_tensor_slices(positions).batch(batch_size, drop_remainder=drop)

    if repeat:
        positions = tf.data.Dataset.counter(first_epoch, dtype=tf.int64).flat_map(one_epoch)
    else:
        passes = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).take(1)
        positions = passes.flat_map(one_epoch)
        positions = positions.apply(tf.data.experimental.assert_cardinality(steps))
    return _gather(positions, images, labels)


def without_autotuning(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Keeps parallelism and buffers as declared.

    In TensorFlow 2.21, an autotuned iterator may take seconds to end.

    Args:
        dataset: Without `tf.data.AUTOTUNE`.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _check(count: int, batch_size: int, *, shuffle: bool) -> None:
    if batch_size < 1:
        raise errors.InputError(f"batch_size: expected at least 1, received {batch_size}")
    if not count or (shuffle and count < batch_size):
        raise errors.InputError(
            f"batch_size {batch_size}: expected at least as many images, received {count}"
        )


def gather(images: Images, rows: tf.Tensor) -> tf.Tensor:
    """Reads some images, inside a `tf.data` pipeline.

    Args:
        images: Shape (count, height, width, channels), uint8.
        rows: Shape (batch,), int64.

    Returns:
        Shape (batch, height, width, channels), float32, -1 to 1.
    """

    def read(batch: np.ndarray) -> np.ndarray:
        is_indexed = isinstance(images, IndexedImages)
        return images[batch] if is_indexed else np.take(images, batch, axis=0)

    # Not `tf.gather`, for which all images would be copied into a tensor.
    pixels = tf.numpy_function(read, [rows], tf.uint8, stateful=False)
    pixels = tf.ensure_shape(pixels, [*rows.shape, *images.shape[1:]])
    return tf.cast(pixels, tf.float32) / 127.5 - 1.0


def _gather(positions: tf.data.Dataset, images: Images, labels: np.ndarray | None) -> tf.data.Dataset:
    with tf.device("/CPU:0"):
        classes = None if labels is None else tf.constant(labels, tf.int32)

    def normalised(batch: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        reals = gather(images, batch)
        return reals if classes is None else (reals, tf.gather(classes, batch))

    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    dataset = positions.map(normalised, num_parallel_calls=2, deterministic=True)
    return without_autotuning(dataset.prefetch(_AHEAD).with_options(options))
