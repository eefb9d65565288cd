"""Models of images that can draw some."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from dcgan.errors import InputError
from dcgan.model import conditioning, drawing, image_model, moving_average


class DrawingModel(image_model.ImageModel):
    """An image model with a generator, and perhaps its moving average and classes."""

    generator: keras.Model
    ema_generator: keras.Model | None
    classes: int

    def prepare_drawing(self, generator: keras.Model, *, classes: int, average: bool) -> None:
        """Takes a generator over; once, in the constructor.

        Args:
            generator: From latents, and labels if there are classes, to images.
            classes: How many classes there are.
            average: Whether to draw from a moving average, which `train_step` then moves.
        """
        self.generator, self.classes = generator, classes
        self.ema_generator = moving_average.copy(generator) if average else None
        signature = [tf.TensorSpec((None, self.latent_dim), tf.float32)]
        if classes:
            self.class_counts = self.add_weight(
                name="class_counts",
                shape=(classes,),
                dtype="int64",
                initializer="zeros",
                trainable=False,
                # With "sum", Keras would add up what the replicas had before as well.
                aggregation="only_first_replica",
            )
            signature.append(tf.TensorSpec((None,), tf.int32))
        self._decode = tf.function(self._decode_batch, input_signature=signature, autograph=False)

    @property
    def latent_dim(self) -> int:
        """Size of the generator's input."""
        return self.generator.inputs[0].shape[-1]

    def generate(
        self,
        count: int | None = None,
        *,
        labels: int | Sequence[int] | np.ndarray | None = None,
        seed: int = 0,
        latents: np.ndarray | None = None,
        batch_size: int = 256,
    ) -> np.ndarray:
        """Draws images from the generator, or from its moving average if there is one.

        Args:
            count: Number of images. Defaults to 1, or to as many as there are latents or labels.
            labels: The class of all images, or one for each, of a conditional model. Defaults to None:
                drawn as `sample_labels` does.
            seed: Seed of latents and labels. Defaults to 0.
            latents: Shape (count, latent_dim), float, used instead of drawn ones. Defaults to None.
            batch_size: Images at once. Defaults to 256.

        Returns:
            Shape (count, height, width, channels), float32, -1 to 1.

        Raises:
            InputError: If `count` or `batch_size` is not a whole number of at least 1, `seed` is not
                whole, `latents` are of another shape or not finite, or there are no such classes.
        """
        if count is None and latents is None and isinstance(labels, (Sequence, np.ndarray)):
            count = np.shape(labels)[0] if np.ndim(labels) else None
        latents = drawing.latents_for(count, latents, latent_dim=self.latent_dim, seed=seed)
        inputs = [latents]
        if self.classes or labels is not None:
            inputs.append(self.sample_labels(len(latents), labels, seed=seed))
        return drawing.in_batches(self._decode, inputs, batch_size)

    def sample_labels(
        self, count: int, labels: int | Sequence[int] | np.ndarray | None = None, *, seed: int = 0
    ) -> np.ndarray:
        """Draws the labels that `generate` draws images of: in proportion to the images trained on.

        Args:
            count: Number of labels.
            labels: One for all or one for each, which are checked and come back. Defaults to None.
            seed: Seed of the draw. Defaults to 0.

        Returns:
            Shape (count,), int32. Before any training all classes are equally likely.

        Raises:
            InputError: If the model has no classes, or not those of `labels`.
        """
        if not self.classes:
            raise InputError(f"labels: expected a conditional model. Received: {labels!r} for another")
        counts = keras.ops.convert_to_numpy(self.class_counts)
        return conditioning.labels_for(count, labels, class_counts=counts, seed=seed)

    def spread_labels(self, most: int) -> np.ndarray:
        """Returns classes to show.

        Args:
            most: How many at most; of more classes some are left out, evenly.

        Returns:
            Shape (count,), int64, in order: classes trained on; before any training, all.
        """
        seen = np.flatnonzero(keras.ops.convert_to_numpy(self.class_counts))
        known = seen if len(seen) else np.arange(self.classes)
        return known[np.linspace(0, len(known) - 1, min(len(known), most)).round().astype(int)]

    def _decode_batch(self, latents: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        generator = self.ema_generator or self.generator
        return tf.cast(generator(conditioning.join(latents, labels), training=False), tf.float32)
