"""The detector: a copy of a trained discriminator, a classifier on it, and their calibration."""

import dataclasses
from collections.abc import Callable
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from dcgan.detector.layers import fake_classifier
from dcgan.detector.threshold import Calibration

_BATCH = 256
# Share in the loss of what convolutions and statistics say alone. The statistics learn so fast that the
# convolutions would otherwise never have to.
_ALONE = 0.5


@keras.saving.register_keras_serializable(package="dcgan")
class Detector(keras.Model):
    """Tells generated images from real ones.

    Called on images, it gives three values for each:

    - `p_fake`: the calibrated probability that the image is generated, 0 to 1;
    - `discriminator_logit`: what the run's own discriminator said at its last step, positive for real;
    - `decision`: 0 real, 1 unsure, 2 fake, as in `dcgan.scoring.DECISIONS`.

    An image's values do not depend on the batch that it comes in. `fit` takes images and labels,
    1 for fakes, best after `adapt`; the copy of the discriminator is not trained.

    Args:
        trunk: What `network.build_trunk` returns.
        classifier: What `network.build_classifier` returns.
        calibration: Defaults to none: `p_fake` is then the plain sigmoid, with a threshold of 0.5.
        **kwargs: Passed to `keras.Model`.

    Example:
        >>> detector = keras.models.load_model("runs/mnist/detector.keras")
        >>> detector.score(images)["p_fake"]  # uint8, shape (count, 28, 28, 1)
    """

    def __init__(
        self,
        trunk: keras.Model,
        classifier: keras.Model,
        *,
        calibration: Calibration | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.trunk = trunk
        self.trunk.trainable = False
        self.classifier = classifier
        self.scale = self.add_weight(
            name="scale", shape=(4,), dtype="float32", initializer="zeros", trainable=False
        )
        self.calibrate(calibration)
        self._loss = keras.metrics.Mean(name="loss")
        self._accuracy = keras.metrics.Mean(name="accuracy")
        self._score = self._on_pixels(self.__call__)
        self._raw = self._on_pixels(self.logits)
        self.build(trunk.input_shape)

    @classmethod
    def from_discriminator(
        cls,
        discriminator: keras.Model,
        *,
        width: int = 32,
        seed: int = 0,
    ) -> Self:
        """Builds an untrained detector on a copy of a trained discriminator.

        Args:
            discriminator: From (batch, height, width, channels) to (batch, 1) logits, positive for
                real.
            width: Of the classifier, see `network.build_classifier`. Defaults to 32.
            seed: Of the classifier's initial weights. Defaults to 0.
        """
        trunk = fake_classifier.build_trunk(discriminator)
        shapes = [tuple(output.shape[1:]) for output in trunk.outputs[1:]]
        classifier = fake_classifier.build_classifier(
            trunk.input_shape[1:], shapes, width=width, seed=seed
        )
        return cls(trunk, classifier)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The (height, width, channels) that it takes."""
        return tuple(self.trunk.input_shape[1:])

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The epoch means that `fit` logs."""
        return [self._loss, self._accuracy]

    def calibrate(self, calibration: Calibration | None) -> None:
        """Sets probabilities and thresholds; they are saved with the weights.

        Args:
            calibration: None for a plain sigmoid and a threshold of 0.5.
        """
        self.calibration = calibration
        values = (1.0, 0.0, 0.0, 0.0)
        if calibration is not None:
            values = (
                calibration.slope,
                calibration.offset,
                calibration.fake_above,
                calibration.real_below,
            )
        self.scale.assign(values)

    def adapt(self, images: np.ndarray) -> None:
        """Tells an untrained detector which values the statistics of images take; before `fit`.

        Args:
            images: Shape (count, height, width, channels), float32, -1 to 1; some thousands, such as
                `fit` is to be given, of both classes.
        """
        fake_classifier.adapt(self.classifier, images)

    def call(self, images: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """Scores images.

        Args:
            images: Shape (batch, height, width, channels), float32, -1 to 1.
            training: Whether batch statistics and dropout are active. Defaults to False.

        Returns:
            `p_fake` and `discriminator_logit`, float32, and `decision`, int32, each of shape (batch,).
        """
        logits, discriminator_logits = self._forward(images, training=training)
        logits = logits[:, 0]
        slope, offset, fake_above, real_below = tf.unstack(self.scale.value)
        decision = tf.cast(logits >= real_below, tf.int32) + tf.cast(logits > fake_above, tf.int32)
        return {
            "p_fake": tf.sigmoid(slope * logits + offset),
            "discriminator_logit": discriminator_logits,
            "decision": decision,
        }

    def logits(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the classifier's uncalibrated logits, higher for fakes, shape (batch,), float32.

        Args:
            images: As in `call`.
            training: As in `call`. Defaults to False.
        """
        return self._forward(images, training=training)[0][:, 0]

    def score(self, images: np.ndarray, *, batch_size: int = _BATCH) -> dict[str, np.ndarray]:
        """Scores any number of images as files hold them.

        Args:
            images: Shape (count, height, width, channels), uint8.
            batch_size: Images at once. Defaults to 256.

        Returns:
            What `call` returns, as arrays of shape (count,).
        """
        parts = self._in_batches(self._score, images, batch_size)
        return {
            name: np.concatenate([part[name].numpy() for part in parts])[: len(images)]
            for name in parts[0]
        }

    def raw_scores(self, images: np.ndarray, *, batch_size: int = _BATCH) -> np.ndarray:
        """Returns the uncalibrated logits of any number of images, higher for fakes.

        Args:
            images: Shape (count, height, width, channels), uint8.
            batch_size: Images at once. Defaults to 256.

        Returns:
            Shape (count,), float32.
        """
        parts = self._in_batches(self._raw, images, batch_size)
        return np.concatenate([part.numpy() for part in parts])[: len(images)]

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Trains the classifier and its parts alone on one batch of images and labels, 1 for fakes."""
        images, labels = data
        labels = tf.cast(labels, tf.float32)
        with tf.GradientTape() as tape:
            logits, *alone = tf.unstack(self._forward(images, training=True)[0], axis=1)
            losses = _cross_entropy(labels, logits)
            aside = tf.add_n([_cross_entropy(labels, each) for each in alone])
            loss = tf.reduce_mean(losses + _ALONE * aside)
        weights = self.classifier.trainable_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        self._loss.update_state(losses)
        self._accuracy.update_state(tf.equal(logits > 0, labels > 0.5))
        return {metric.name: metric.result() for metric in self.metrics}

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        calibration = self.calibration
        return {
            **super().get_config(),
            "trunk": keras.saving.serialize_keras_object(self.trunk),
            "classifier": keras.saving.serialize_keras_object(self.classifier),
            "calibration": None if calibration is None else dataclasses.asdict(calibration),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the detector from what `get_config` returned."""
        config = dict(config)
        for name in ("trunk", "classifier"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        if config["calibration"] is not None:
            config["calibration"] = Calibration(**config["calibration"])
        return cls(**config)

    def _on_pixels(self, function: Callable[[tf.Tensor], Any]) -> Callable[[tf.Tensor], Any]:
        """Makes a graph of a function of float images that takes uint8 ones, in batches of any size."""
        return tf.function(
            lambda pixels: function(tf.cast(pixels, tf.float32) / 127.5 - 1.0),
            input_signature=[tf.TensorSpec((None, *self.image_shape), tf.uint8)],
            autograph=False,
        )

    def _in_batches(self, graph: Callable[[tf.Tensor], Any], images: np.ndarray, size: int) -> list[Any]:
        """Runs a graph on batches; on a black image where there are none, which kernels do not take."""
        images = images if len(images) else np.zeros((1, *self.image_shape), np.uint8)
        return [
            graph(tf.constant(images[start : start + size])) for start in range(0, len(images), size)
        ]

    def _forward(self, images: tf.Tensor, *, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        images = tf.convert_to_tensor(images)
        count = tf.shape(images)[0]
        if not training:
            # Twice, as kernels for a single image round in their own way.
            images = tf.tile(images, [1 + tf.cast(count == 1, tf.int32), 1, 1, 1])
        discriminator_logits, *features = self.trunk(images, training=False)
        logits = self.classifier([images, *features], training=training)
        return logits[:count], discriminator_logits[:count, 0]


def _cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
