"""Keras layers that do the same work in fewer passes over memory, and apart on each replica."""

import keras
import tensorflow as tf


def replica_id() -> tf.Tensor | int:
    """Returns the number of the replica that a distributed step runs on; 0 outside of one."""
    context = tf.distribute.get_replica_context()
    return 0 if context is None else context.replica_id_in_sync_group


@keras.saving.register_keras_serializable(package="dcgan")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization over the last axis by TensorFlow's fused kernel.

    The same function and the same weights as `keras.layers.BatchNormalization`, which goes over the
    data about ten times where the kernel goes twice. A synchronized layer on several replicas, which
    no fused kernel serves, falls back to Keras's own.

    Takes the arguments of `keras.layers.BatchNormalization`, except `axis`, `renorm` and masks.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Normalises inputs of shape (batch, ..., channels), any float, to their own dtype."""
        training = training and self.trainable
        if training and self.synchronized and tf.distribute.get_strategy().num_replicas_in_sync > 1:
            return super().call(inputs, training=True)
        inputs = tf.cast(inputs, self.compute_dtype)
        flat = inputs if len(inputs.shape) == 4 else tf.reshape(inputs, [-1, 1, 1, inputs.shape[-1]])
        nothing = tf.zeros([0])
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=flat,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=nothing if training else tf.convert_to_tensor(self.moving_mean),
            variance=nothing if training else tf.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=training,
        )
        if training:
            self._update_statistics(mean, variance, count=tf.size(flat) // flat.shape[-1])
        return outputs if flat is inputs else tf.reshape(outputs, tf.shape(inputs))

    def _update_statistics(self, mean: tf.Tensor, variance: tf.Tensor, *, count: tf.Tensor) -> None:
        """Moves the statistics; the kernel divides by count - 1 where Keras divides by count."""
        count = tf.cast(count, tf.float32)
        variance *= (count - 1.0) / count
        rate = 1.0 - self.momentum
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * rate)
        self.moving_variance.assign(self.moving_variance * self.momentum + variance * rate)


@keras.saving.register_keras_serializable(package="dcgan")
class ReplicaDropout(keras.layers.Dropout):
    """Dropout from 16 random bits a feature, with another mask on each replica.

    The rate is met to 1 / 65,536, and what is kept is scaled by exactly that rate. Takes the arguments
    of `keras.layers.Dropout`, except `noise_shape`.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Drops features in training, in any shape; otherwise passes them through."""
        if not training or not self.rate:
            return inputs
        seed = tf.random.experimental.stateless_fold_in(self.seed_generator.next(), replica_id())
        size = tf.size(inputs)
        words = tf.random.stateless_uniform(
            [(size + 1) // 2], seed, minval=None, maxval=None, dtype=tf.int32
        )
        bits = tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:size]
        dropped = round(self.rate * 65536)
        keep = tf.cast(bits >= dropped, inputs.dtype) * (65536 / (65536 - dropped))
        return inputs * tf.reshape(keep, tf.shape(inputs))
