"""The detector: a classifier, its calibration, and a copy of the run's discriminator."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from dcgan.detector.layers import fake_classifier
from dcgan.detector.start import colour_classifier
from dcgan.detector.threshold import Calibration
from dcgan.errors import InputError
from dcgan.model import image_batches, image_model
from dcgan.scoring import DECISIONS, UNFAMILIAR

_BATCH = 256
# From this familiarity on, `p_fake` is what the calibration says; below, it is nearer to 0.5.
_FAMILIAR = 0.05
_REAL, _UNSURE, _FAKE = (DECISIONS.index(name) for name in ("real", "unsure", "fake"))


@keras.saving.register_keras_serializable(package="dcgan")
class Detector(image_model.ImageModel):
    """Tells generated images from real ones.

    Called on images, it returns four values for each:

    - `p_fake`: the calibrated probability that the image is generated, 0 to 1;
    - `familiarity`: the p-value that the image is like the reals or the fakes that the detector was made
      for, 0 to 1. Below 0.01 the decision is unsure. Below 0.05, `p_fake` is drawn towards 0.5, the more
      the lower it is;
    - `discriminator_logit`: what the run's own discriminator said at its last step, positive for real;
    - `decision`: 0 real, 1 unsure, 2 fake, as in `dcgan.scoring.DECISIONS`.

    An image's values do not depend on its batch. `fit` and `evaluate` take images and labels, 1 for
    fakes, and optional sample weights; compile with an optimizer and no loss, metrics see logits. Only
    the classifier is trained. Calibrate anew afterwards.

    Args:
        discriminator: A float32 model from images to (batch, 1) logits, positive for real; it is frozen.
        classifier: What `fake_classifier.build_classifier` or, for colour images,
            `colour_classifier.build_colour_classifier` returns.
        calibration: Defaults to None: `p_fake` is then the plain sigmoid, with a threshold of 0.5.
        familiarity: What `familiarity_training.train` returns, calibrated. Defaults to None: all images
            then have a familiarity of 1.
        **kwargs: Passed to `keras.Model`.

    Example:
        >>> detector = keras.models.load_model("runs/mnist/detector.keras")
        >>> scores = detector.score(images)  # uint8, shape (count, 28, 28, 1)
        >>> scores["p_fake"].shape
        (1000,)
    """

    weighs_images = True

    def __init__(
        self,
        discriminator: keras.Model,
        classifier: keras.Model,
        *,
        calibration: Calibration | None = None,
        familiarity: keras.Model | None = None,
        **kwargs: Any,
    ) -> None:
        # The networks have precisions of their own; the images that pass here stay as they are.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.discriminator = discriminator
        self.discriminator.trainable = False
        self.classifier = classifier
        self.familiarity = familiarity
        if familiarity is not None:
            familiarity.trainable = False
        self.scale = self.add_weight(
            name="scale", shape=(4,), dtype="float32", initializer="zeros", trainable=False
        )
        self.calibrate(calibration)
        self._accuracy = keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)
        self._score = self._on_pixels(self.__call__)
        self._raw = self._on_pixels(self.logits)
        self.build(discriminator.input_shape)

    @classmethod
    def from_discriminator(
        cls, discriminator: keras.Model, *, width: int = 32, precision: str = "float32", seed: int = 0
    ) -> Self:
        """Puts a classifier that is yet to be trained beside a copy of a trained discriminator.

        That of grey images has nothing but random weights, that of colour images the start's.

        Args:
            discriminator: From (batch, height, width, channels) to (batch, 1) logits, positive for
                real. It is left unchanged.
            width: Of the classifier of grey images, see `fake_classifier.build_classifier`. Defaults
                to 32.
            precision: See `fake_classifier.build_classifier`. Defaults to "float32".
            seed: Seed of the classifier's initial weights and dropout. Defaults to 0.
        """
        frozen = _copy_exactly(discriminator)
        image_shape = frozen.input_shape[1:]
        if image_shape[-1] == 3:
            classifier = colour_classifier.build_colour_classifier(
                image_shape, precision=precision, seed=seed
            )
        else:
            classifier = fake_classifier.build_classifier(
                image_shape, width=width, precision=precision, seed=seed
            )
        return cls(frozen, classifier)

    def with_familiarity(self, familiarity: keras.Model) -> Self:
        """Returns this detector, its networks shared, with another measure of familiarity.

        Args:
            familiarity: What `familiarity_training.train` returns, calibrated.
        """
        parts = (self.discriminator, self.classifier)
        return type(self)(*parts, calibration=self.calibration, familiarity=familiarity)

    def calibrate(self, calibration: Calibration | None) -> None:
        """Sets probabilities and thresholds; they are saved with the weights.

        Args:
            calibration: None for a plain sigmoid and a threshold of 0.5.
        """
        self.calibration = calibration
        values = (1.0, 0.0, 0.0, 0.0)
        if calibration is not None:
            thresholds = (calibration.fake_above, calibration.real_below)
            values = (calibration.slope, calibration.offset, *thresholds)
        self.scale.assign(values)

    def call(self, images: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """Scores images.

        Args:
            images: Shape (batch, height, width, channels), float32, -1 to 1.
            training: Ignored: `train_step` calls the classifier alone. Defaults to False.

        Returns:
            `p_fake`, `familiarity` and `discriminator_logit`, float32, and `decision`, int32, each of
            shape (batch,).
        """
        images = image_batches.as_images(images, self.image_shape)
        logit = self.logits(images)
        slope, offset, fake_above, real_below = tf.unstack(self.scale.value)
        # Compared so that NaN is unsure.
        decision = tf.where(logit > fake_above, _FAKE, tf.where(logit < real_below, _REAL, _UNSURE))
        familiarity = self._measure_familiarity(images)
        trust = tf.minimum(1.0, familiarity / _FAMILIAR)
        return {
            "p_fake": 0.5 + trust * (tf.sigmoid(slope * logit + offset) - 0.5),
            "familiarity": familiarity,
            "discriminator_logit": self.discriminator(images, training=False)[:, 0],
            "decision": tf.where(familiarity >= UNFAMILIAR, decision, _UNSURE),
        }

    def logits(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the classifier's uncalibrated logits, higher for fakes, shape (batch,), float32.

        Args:
            images: As in `call`.
        """
        return self.classifier(images, training=False)[:, 0]

    def score(self, images: np.ndarray, *, batch_size: int = _BATCH) -> dict[str, np.ndarray]:
        """Scores any number of images.

        Args:
            images: Shape (count, height, width, channels), uint8.
            batch_size: Images at once. Defaults to 256.

        Returns:
            What `call` returns, as arrays of shape (count,).

        Raises:
            InputError: If the images are of another type or shape, or `batch_size` is below 1.
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

    def make_train_function(self, force: bool = False) -> None:
        """Makes the function that trains on a batch; raises `InputError` if compiled with a loss."""
        self._check_compiled()
        super().make_train_function(force)

    def make_test_function(self, force: bool = False) -> None:
        """Makes the function that measures a batch; raises `InputError` if compiled with a loss."""
        self._check_compiled()
        super().make_test_function(force)

    def unpack(self, data: Any) -> image_batches.Batch:
        """Takes apart what a step gets, as `ImageModel.unpack`; there must be labels.

        Raises:
            InputError: If there are no such images, or no labels.
        """
        batch = super().unpack(data)
        if batch.labels is None:
            raise InputError("labels: expected 1 for fakes and 0 for reals beside the images")
        return batch

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Trains on one batch of images, labels (1 for fakes) and optional sample weights."""
        images, labels, weights = self.unpack(data)
        with tf.GradientTape() as tape:
            logits = self.classifier(images, training=True)
            loss = self._loss(labels, logits, weights)
            objective = self.optimizer.scale_loss(loss)
        variables = self.trainable_weights
        self.optimizer.apply(tape.gradient(objective, variables), variables)
        return self._update_metrics(loss, labels, logits, weights)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Measures one batch without training."""
        images, labels, weights = self.unpack(data)
        logits = self.classifier(images, training=False)
        return self._update_metrics(self._loss(labels, logits, weights), labels, logits, weights)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        calibration = self.calibration
        return {
            **super().get_config(),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "familiarity": keras.saving.serialize_keras_object(self.familiarity),
            "classifier": keras.saving.serialize_keras_object(self.classifier),
            "calibration": None if calibration is None else dataclasses.asdict(calibration),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the detector from what `get_config` returned."""
        # A copy, since Keras empties the networks' own.
        config = copy.deepcopy(config)
        for name in ("discriminator", "classifier", "familiarity"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        if config["calibration"] is not None:
            config["calibration"] = Calibration(**config["calibration"])
        return cls(**config)

    def _check_compiled(self) -> None:
        compiled = self.get_compile_config()
        for name in ("loss", "loss_weights"):
            if compiled.get(name) is not None:
                raise InputError(f"{name}: expected none, since a detector has its own loss")

    def _loss(self, labels: Any, logits: tf.Tensor, weights: Any) -> tf.Tensor:
        labels = tf.reshape(labels, tf.shape(logits))
        return keras.losses.BinaryCrossentropy(from_logits=True)(labels, logits, weights)

    def _update_metrics(self, loss: Any, labels: Any, logits: Any, weights: Any) -> dict[str, Any]:
        tracker = next(metric for metric in self.metrics if metric.name == "loss")
        tracker.update_state(loss, sample_weight=tf.shape(logits)[0])
        self._accuracy.update_state(labels, logits[:, 0], weights)
        return self.compute_metrics(None, labels, logits[:, 0], weights)

    def _measure_familiarity(self, images: tf.Tensor) -> tf.Tensor:
        images = tf.cast(images, tf.float32)
        if self.familiarity is None:
            return tf.ones(tf.shape(images)[:1])
        return self.familiarity(images, training=False)

    def _on_pixels(self, function: Callable[[tf.Tensor], Any]) -> Callable[[tf.Tensor], Any]:
        """Makes a graph that takes uint8 batches of any size, of a function that takes float ones."""
        return tf.function(
            lambda pixels: function(tf.cast(pixels, tf.float32) / 127.5 - 1.0),
            input_signature=[tf.TensorSpec((None, *self.image_shape), tf.uint8)],
            autograph=False,
        )

    def _in_batches(self, graph: Callable[[tf.Tensor], Any], images: np.ndarray, size: int) -> list[Any]:
        """Runs a graph on batches; on a black image where there are none, which kernels do not take."""
        shape = ", ".join(map(str, self.image_shape))
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape:
            raise InputError(
                f"images: expected uint8 of shape (count, {shape}). "
                f"Received: {images.dtype} of shape {images.shape}"
            )
        if size < 1:
            raise InputError(f"batch_size: expected at least 1. Received: {size}")
        images = images if len(images) else np.zeros((1, *self.image_shape), np.uint8)
        return [
            graph(tf.constant(images[start : start + size])) for start in range(0, len(images), size)
        ]


def _copy_exactly(network: keras.Model) -> keras.Model:
    """Copies a network into one that computes in float32."""
    twin = keras.models.clone_model(network, clone_function=_as_float32)
    twin.set_weights(network.get_weights())
    return twin


def _as_float32(layer: keras.layers.Layer) -> keras.layers.Layer:
    return type(layer).from_config({**layer.get_config(), "dtype": "float32"})
