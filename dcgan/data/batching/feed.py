"""What a run is trained on: batches without end, from any epoch on."""

import dataclasses
from collections.abc import Callable
from typing import Self

import tensorflow as tf

from dcgan.config import RunConfig
from dcgan.data import class_labels
from dcgan.data.batching import pipeline, user_datasets
from dcgan.data.image_set import ImageSet


@dataclasses.dataclass(frozen=True, eq=False)
class Feed:
    """Batches for training.

    Attributes:
        steps: Batches of an epoch.
        batches: Returns endless batches from an epoch on, counted from 0. They are those of a training
            from the start after as many epochs.
    """

    steps: int
    batches: Callable[[int], tf.data.Dataset]

    @classmethod
    def of_images(cls, images: ImageSet, config: RunConfig) -> Self:
        """Shuffles images anew in every epoch.

        Args:
            images: The images.
            config: The run's config.
        """
        labels = class_labels.training_labels(images, config.network.classes)
        batch_size = config.training.batch_size

        def batches(first_epoch: int) -> tf.data.Dataset:
            return pipeline.batches(
                images.images,
                batch_size,
                labels=labels,
                seed=config.seed,
                repeat=True,
                first_epoch=first_epoch,
            )

        return cls(len(images.images) // batch_size, batches)

    @classmethod
    def of_dataset(
        cls, dataset: tf.data.Dataset, config: RunConfig, *, steps_per_epoch: int | None = None
    ) -> Self:
        """Takes a user's dataset as it is.

        A training that goes on runs through what came before: a dataset that gives the same examples
        each time it is iterated from its start then leads to the same weights.

        Args:
            dataset: See `user_datasets.to_batches`.
            config: The run's config.
            steps_per_epoch: Batches of an epoch. Defaults to a pass over the dataset.

        Raises:
            InputError: If the dataset cannot be used, or how long an epoch is cannot be told.
        """
        network = config.network
        shape = (network.image_size, network.image_size, network.channels)
        whole = user_datasets.to_batches(
            dataset, shape, batch_size=config.training.batch_size, labelled=bool(network.classes)
        )
        steps = user_datasets.count_steps(whole, steps_per_epoch)

        def batches(first_epoch: int) -> tf.data.Dataset:
            return whole.repeat().skip(first_epoch * steps).prefetch(2)

        return cls(steps, batches)
