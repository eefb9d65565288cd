"""What the models of images have in common: how Keras hands them batches, builds and exports them."""

import functools
import inspect
import os
import types
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from dcgan.data.batching import user_datasets
from dcgan.errors import InputError
from dcgan.model import image_batches

# What Keras never shuffles.
_IN_ORDER = (tf.data.Dataset, tf.distribute.DistributedDataset, types.GeneratorType)


class ImageModel(keras.Model):
    """A Keras model whose input is one batch of images.

    `fit`, `evaluate`, `predict` and their `..._on_batch` look at the first batch they get, before
    anything is traced or trained, and refuse images that are not float in -1 to 1. Subclasses may add
    metrics, weights and layers at any time, in `compile` or after `super().__init__(...)`, as those of
    functional models may.
    """

    # Whether `sample_weight` and `class_weight` count; else they are refused.
    weighs_images = False
    discriminator: keras.Model

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The (height, width, channels) of the images."""
        return tuple(self.discriminator.input_shape[1:])

    def unpack(self, data: Any) -> image_batches.Batch:
        """Takes apart what a step gets.

        Args:
            data: Images, shape (batch, height, width, channels), any float, -1 to 1; alone or in a tuple
                with labels and weights.

        Raises:
            InputError: If there are no such images, or weights that would not count.
        """
        batch = image_batches.unpack(data, self.image_shape)
        self._refuse_weights(sample_weight=batch.weights)
        return batch

    @functools.wraps(keras.Model.fit)
    def fit(self, *args: Any, **options: Any) -> keras.callbacks.History:
        """Trains, unless there are weights that would not count, or an epoch would never end."""
        arguments = _by_name(super().fit, args, options)
        self._refuse_weights(**arguments)
        if isinstance(arguments.get("x"), _IN_ORDER):
            # Shuffled or not already; Keras would warn of its own default.
            arguments = {"shuffle": False, **arguments}
        if isinstance(arguments.get("x"), tf.data.Dataset):
            user_datasets.check_end(arguments["x"], arguments.get("steps_per_epoch"))
            arguments["x"] = user_datasets.share_among_workers(arguments["x"], self.distribute_strategy)
        return super().fit(**arguments)

    @functools.wraps(keras.Model.evaluate)
    def evaluate(self, *args: Any, **options: Any) -> Any:
        """Measures, unless there are weights that would not count."""
        self._refuse_weights(**_by_name(super().evaluate, args, options))
        return super().evaluate(*args, **options)

    def make_train_function(self, force: bool = False) -> None:
        """Makes the function that trains on a batch."""
        super().make_train_function(force)
        self.train_function: Any = _FirstLook(self, self.train_function, self.unpack, training=True)

    def make_test_function(self, force: bool = False) -> None:
        """Makes the function that measures a batch."""
        super().make_test_function(force)
        self.test_function: Any = _FirstLook(self, self.test_function, self.unpack)

    def make_predict_function(self, force: bool = False) -> None:
        """Makes the function that predicts from a batch."""
        super().make_predict_function(force)
        images = functools.partial(image_batches.unpack, image_shape=self.image_shape)
        self.predict_function: Any = _FirstLook(self, self.predict_function, images)

    def export(
        self,
        filepath: str | os.PathLike[str],
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **options: Any,
    ) -> None:
        """Exports what `call` returns, as `keras.Model.export` does, without a call beforehand.

        Args:
            filepath: Where to.
            format: As in Keras. Defaults to "tf_saved_model".
            verbose: Whether to print what was exported. Defaults to None, Keras's default.
            input_signature: Defaults to None: any number of float32 images.
            **options: As in Keras.
        """
        if input_signature is None:
            input_signature = [keras.InputSpec(shape=(None, *self.image_shape), dtype="float32")]
        super().export(filepath, format, verbose, input_signature, **options)

    def _refuse_weights(self, **options: Any) -> None:
        given = [options.get(name) for name in ("sample_weight", "class_weight")]
        if not self.weighs_images and any(weights is not None for weights in given):
            raise InputError(
                f"{type(self).__name__} does not support sample_weight and class_weight: "
                "all images count alike."
            )

    def _lock_state(self) -> None:
        """Leaves the built model open to additions, as `keras.Functional` does."""


def _by_name(method: Callable[..., Any], args: Any, options: Any) -> dict[str, Any]:
    """Returns a call's arguments by their names."""
    return inspect.signature(method).bind(*args, **options).arguments


class _FirstLook:
    """A Keras step function that checks the first batch, and from then on is the function itself."""

    def __init__(
        self,
        model: ImageModel,
        function: Callable[[Any], Any],
        unpack: Callable[[Any], image_batches.Batch],
        *,
        training: bool = False,
    ) -> None:
        # Keras keeps the function from one `fit` to the next.
        self.function: Any = function.function if isinstance(function, _FirstLook) else function
        self._model, self._unpack, self._training = model, unpack, training
        self._looked = False

    def __call__(self, data: Any) -> Any:
        """Runs the step on an iterator of batches, or on a list of them."""
        if not self._looked:
            data = self._look(data)
            self._looked = True
        return self.function(data)

    def _look(self, data: Any) -> Any:
        """Checks the first of the batches of one execution, and returns them all."""
        batches = data if isinstance(data, list) else list(self._take(data))
        if not batches:
            raise InputError("images: expected at least one batch")
        for batch in self._model.distribute_strategy.experimental_local_results(batches[0]):
            image_batches.check_range(self._unpack(batch).images, training=self._training)
        return batches if batches is data else iter(batches)

    def _take(self, iterator: Iterator[Any]) -> Iterator[Any]:
        for _ in range(self._model.steps_per_execution):
            try:
                yield next(iterator)
            except (StopIteration, tf.errors.OutOfRangeError):
                return
