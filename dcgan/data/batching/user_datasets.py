"""A user's own `tf.data.Dataset`: what is taken, how it becomes batches, how workers share it."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from dcgan.errors import InputError

_STEPS = "expected steps_per_epoch"


def check_end(dataset: tf.data.Dataset, steps_per_epoch: int | None) -> None:
    """Refuses an endless dataset without a number of steps, with which an epoch would never end.

    Args:
        dataset: The dataset.
        steps_per_epoch: The steps asked for, if any.

    Raises:
        InputError: If there is no end.
    """
    if steps_per_epoch is None and int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY:
        raise InputError(f"dataset: {_STEPS} with a dataset that has no end")


def count_steps(batches: tf.data.Dataset, steps_per_epoch: int | None) -> int:
    """Returns the steps of an epoch.

    Args:
        batches: Batches as they are trained on.
        steps_per_epoch: The steps asked for. Defaults to a pass over the dataset.

    Raises:
        InputError: If no steps are asked for and the dataset's length is unknown, or there is no batch.
    """
    if steps_per_epoch is not None:
        if steps_per_epoch < 1:
            raise InputError(f"steps_per_epoch: expected at least 1. Received: {steps_per_epoch}")
        return steps_per_epoch
    check_end(batches, None)
    count = int(batches.cardinality())
    if count == tf.data.UNKNOWN_CARDINALITY:
        raise InputError(
            f"dataset: {_STEPS}, or tf.data.experimental.assert_cardinality, as its length is unknown"
        )
    if not count:
        raise InputError("dataset: expected at least a batch of images; lower --batch-size")
    return count


def to_batches(
    dataset: tf.data.Dataset, image_shape: tuple[int, int, int], *, batch_size: int, labelled: bool
) -> tf.data.Dataset:
    """Brings any dataset of images into whole batches for training.

    Args:
        dataset: Images of the shape, single or in batches of any size; float from -1 to 1, or uint8 from
            0 to 255; alone, or in a tuple with labels.
        image_shape: The (height, width, channels).
        batch_size: Images a batch.
        labelled: Whether labels are kept, and have to be there.

    Returns:
        Batches, shape (batch_size, height, width, channels), float32, -1 to 1; with labels in pairs.

    Raises:
        InputError: If the dataset has something else.
    """
    spec = dataset.element_spec
    parts = spec if isinstance(spec, tuple) else (spec,)
    _check(parts[0], image_shape)
    if labelled and len(parts) < 2:
        raise InputError("dataset: expected pairs of images and labels for a conditional GAN")

    def prepare(*example: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        images = tf.cast(example[0], tf.float32)
        if example[0].dtype == tf.uint8:
            images = images / 127.5 - 1.0
        return (images, example[1]) if labelled else images

    if parts[0].shape.rank == 3:
        dataset = dataset.batch(batch_size, drop_remainder=True)
    else:
        dataset = _rebatch(dataset, batch_size, given=parts[0].shape[0])
    return dataset.map(prepare, num_parallel_calls=2, deterministic=True)


def _rebatch(dataset: tf.data.Dataset, batch_size: int, *, given: int | None) -> tf.data.Dataset:
    """Changes the size of batches; their number stays known, if need be by a pass that counts."""
    batches = dataset.rebatch(batch_size, drop_remainder=True)
    count = int(dataset.cardinality())
    if count == tf.data.UNKNOWN_CARDINALITY:
        return batches
    if count != tf.data.INFINITE_CARDINALITY:
        images = count * given if given else int(dataset.reduce(0, _add_length))
        count = images // batch_size
    return batches.apply(tf.data.experimental.assert_cardinality(count))


def _add_length(count: tf.Tensor, *example: tf.Tensor) -> tf.Tensor:
    return count + tf.shape(example[0])[0]


def share_among_workers(dataset: tf.data.Dataset, strategy: tf.distribute.Strategy) -> tf.data.Dataset:
    """Has each worker of a cluster take its own part of every pass.

    All workers run the same pipeline, and each keeps its share of the elements. So their order has to be
    the same for all.

    Args:
        dataset: The dataset.
        strategy: Where it is used.

    Returns:
        The dataset, with the policy `AutoShardPolicy.DATA` unless it has one of its own.

    Raises:
        InputError: If it is shuffled without a seed and the strategy has several workers.
    """
    policies = tf.data.experimental.AutoShardPolicy
    if dataset.options().experimental_distribute.auto_shard_policy not in (None, policies.AUTO):
        return dataset
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) and _is_unseeded(dataset):
        raise InputError(
            "dataset: expected shuffle(..., seed=...), the same on all workers, so that no image comes "
            "twice in an epoch; or an auto_shard_policy of its own"
        )
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = policies.DATA
    return dataset.with_options(options)


def _check(spec: Any, image_shape: tuple[int, int, int]) -> None:
    if isinstance(spec, tf.TensorSpec) and (spec.dtype.is_floating or spec.dtype == tf.uint8):
        shape = tf.TensorShape(image_shape)
        batched = tf.TensorShape([None, *image_shape])
        if spec.shape.rank is not None and (
            spec.shape.is_compatible_with(shape) or spec.shape.is_compatible_with(batched)
        ):
            return
    found = f"{spec.dtype.name} of shape {spec.shape}" if isinstance(spec, tf.TensorSpec) else spec
    raise InputError(
        f"dataset: expected images of shape {image_shape}, single or in batches, float from -1 to 1 or "
        f"uint8. Received: {found}"
    )


def _is_unseeded(dataset: tf.data.Dataset) -> bool:
    """Whether a step of the pipeline shuffles in another order each time it is run."""
    return any(
        [int(seed) for seed in (step._seed, step._seed2)] == [0, 0]
        for step in _steps(dataset)
        if hasattr(step, "_seed2")
    )


def _steps(dataset: tf.data.Dataset) -> Iterator[tf.data.Dataset]:
    yield dataset
    for source in dataset._inputs():
        yield from _steps(source)
