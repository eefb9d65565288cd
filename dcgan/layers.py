"""Keras layers that do the same work in fewer passes over memory, and apart on each replica."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

# Below it, the kernel for GPUs refuses.
_SMALLEST_EPSILON = 1.001e-5


def replica_id() -> tf.Tensor | int:
    """Returns the number of the replica that a distributed step runs on; 0 outside of one.

    Example:
        >>> replica_id()
        0
    """
    context = tf.distribute.get_replica_context()
    return 0 if context is None else context.replica_id_in_sync_group


@keras.saving.register_keras_serializable(package="dcgan")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization by TensorFlow's fused kernel.

    The same function, arguments and weights as `keras.layers.BatchNormalization`, which reads the data
    about ten times where the kernel reads it twice. What the kernel cannot do (another axis than the
    last, masks, renorm, float64, an epsilon below 1.001e-5, synchronization between replicas) is left
    to Keras.

    Example:
        >>> layer = FusedBatchNormalization(momentum=0.9)
        >>> outputs = layer(np.float32([[0.0], [2.0]]), training=True)
        >>> outputs.numpy().round(2)
        array([[-1.],
               [ 1.]], dtype=float32)
    """

    def call(
        self, inputs: tf.Tensor, training: bool = False, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Normalizes inputs of shape (batch, ..., channels), any float, to the layer's dtype."""
        training = bool(training) and self.trainable
        if mask is not None or not self._fusable(inputs, training=training):
            return super().call(inputs, training=training, mask=mask)
        inputs = tf.cast(inputs, self.compute_dtype)
        channels = inputs.shape[-1]
        flat = inputs if len(inputs.shape) == 4 else tf.reshape(inputs, [-1, 1, 1, channels])
        nothing = tf.zeros([0])
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=flat,
            scale=_float32(self.gamma) if self.scale else tf.ones([channels]),
            offset=_float32(self.beta) if self.center else tf.zeros([channels]),
            mean=nothing if training else _float32(self.moving_mean),
            variance=nothing if training else _float32(self.moving_variance),
            epsilon=self.epsilon,
            is_training=training,
        )
        if training:
            self._update_statistics(mean, variance, count=tf.size(flat) // channels)
        return outputs if flat is inputs else tf.reshape(outputs, tf.shape(inputs))

    def _fusable(self, inputs: tf.Tensor, *, training: bool) -> bool:
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return (
            self.axis in (-1, len(inputs.shape) - 1)
            and not self.renorm
            and not (training and self.synchronized and replicas > 1)
            and self.compute_dtype != "float64"
            and self.epsilon >= _SMALLEST_EPSILON
        )

    def _update_statistics(self, mean: tf.Tensor, variance: tf.Tensor, *, count: tf.Tensor) -> None:
        """Moves the statistics; the kernel divides by count - 1 where Keras divides by count.

        A replica's share of a last batch may be empty: its statistics stay.
        """
        count = tf.cast(count, tf.float32)
        variance *= (count - 1.0) / count
        rate = 1.0 - self.momentum
        for moving, observed in ((self.moving_mean, mean), (self.moving_variance, variance)):
            former = _float32(moving)
            moving.assign(tf.where(count > 0, former * self.momentum + observed * rate, former))


@keras.saving.register_keras_serializable(package="dcgan")
class ReplicaDropout(keras.layers.Dropout):
    """Dropout from 16 random bits a feature, with another mask on each replica.

    Takes the arguments of `keras.layers.Dropout`. The rate is met to 1 / 65,536, and what is kept is
    scaled by exactly that rate.

    Example:
        >>> layer = ReplicaDropout(0.5, seed=1)
        >>> np.unique(layer(tf.ones((1, 1000)), training=True))
        array([0., 2.], dtype=float32)
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Drops features in training, in any shape; otherwise passes them through."""
        dropped = round(self.rate * 65536)
        if not training or not dropped:
            return inputs
        if dropped == 65536:
            return tf.zeros_like(inputs)
        seed = tf.random.experimental.stateless_fold_in(self.seed_generator.next(), replica_id())
        sides = tf.shape(inputs)
        shape = [
            sides[axis] if side is None else side
            for axis, side in enumerate(self.noise_shape or [None] * len(inputs.shape))
        ]
        size = tf.reduce_prod(shape)
        words = tf.random.stateless_uniform(
            [(size + 1) // 2], seed, minval=None, maxval=None, dtype=tf.int32
        )
        bits = tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:size]
        keep = tf.cast(bits >= dropped, inputs.dtype) * (65536 / (65536 - dropped))
        return inputs * tf.reshape(keep, shape)


@keras.saving.register_keras_serializable(package="dcgan")
class ClassProjection(keras.layers.Layer):
    """Adds to each logit the inner product of its image's features with a vector of its class.

    The vectors start at 0: at first, classes make no difference.

    Args:
        classes: How many classes there are.
        **kwargs: Passed to `keras.layers.Layer`.

    Example:
        >>> layer = ClassProjection(classes=10)
        >>> layer(tf.ones((4, 7, 7, 64)), tf.zeros((4, 1)), tf.constant([0, 1, 2, 3])).shape
        TensorShape([4, 1])

    Reference:
        - [Miyato and Koyama, 2018](https://arxiv.org/abs/1802.05637), figure 1 (d)
    """

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, features_shape: tuple[int | None, ...], *other_shapes: Any) -> None:
        """Makes a vector for each class, as long as the features are many."""
        size = math.prod(side for side in features_shape[1:] if side)
        self.vectors = self.add_weight(name="vectors", shape=(self.classes, size), initializer="zeros")

    def call(self, features: tf.Tensor, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Returns the logits with the classes' share.

        Args:
            features: Shape (batch, ...), any float.
            logits: Shape (batch, 1), any float.
            labels: Shape (batch,), integers from 0 to classes - 1.
        """
        vectors = tf.gather(self.vectors, labels)
        features = tf.reshape(features, [-1, vectors.shape[-1]])
        return logits + tf.reduce_sum(features * vectors, axis=1, keepdims=True)

    def compute_output_shape(
        self, features_shape: Any, logits_shape: tuple[int | None, ...], labels_shape: Any
    ) -> tuple[int | None, ...]:
        """Returns the shape of the logits."""
        return logits_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "classes": self.classes}


@keras.saving.register_keras_serializable(package="dcgan")
class Smoothing(keras.layers.Layer):
    """Smooths each channel by the fixed kernel [1, 2, 1] / 4 along both sides.

    After a strided transposed convolution it leaves no grid. Beyond the border there is zero.

    Example:
        >>> Smoothing()(tf.ones((1, 3, 3, 1)))[0, ..., 0].numpy()
        array([[0.5625, 0.75  , 0.5625],
               [0.75  , 1.    , 0.75  ],
               [0.5625, 0.75  , 0.5625]], dtype=float32)

    Reference:
        - after each up-sampling: [Karras et al., 2019](https://arxiv.org/abs/1812.04948), section 2
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Smooths inputs of shape (batch, height, width, channels), any float."""
        inputs = tf.cast(inputs, self.compute_dtype)
        kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
        kernels = np.tile(kernel[:, :, None, None], (1, 1, inputs.shape[-1], 1))
        return tf.nn.depthwise_conv2d(inputs, tf.constant(kernels, inputs.dtype), [1] * 4, "SAME")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns the input's shape."""
        return input_shape


def _float32(variable: keras.Variable) -> tf.Tensor:
    return tf.cast(variable.value, tf.float32)
