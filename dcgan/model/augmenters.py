"""What distorts reals and fakes alike before the discriminator sees them, and how strongly."""

import functools

import keras
import tensorflow as tf

from dcgan import augmentation
from dcgan.config import ADAPTIVE
from dcgan.model import global_batch

# The mean sign to keep to, and the steps from one move to the next: the paper's.
TARGET = 0.6
INTERVAL = 4
# Images until the probability has risen from 0 to 1. The paper's 500,000 are more than a training on a
# small set often sees.
IMAGES_FROM_0_TO_1 = 50_000


class FixedAugmenter:
    """DiffAugment, equally strong in every step.

    Args:
        policy: As for `dcgan.augmentation.diff_augment`.

    Raises:
        InputError: If `policy` names something unknown.
    """

    def __init__(self, policy: str) -> None:
        augmentation.parse_policy(policy)
        self.policy = policy

    def augment(self, images: tf.Tensor, *, seed: tf.Tensor) -> tf.Tensor:
        """Distorts images as `AdaptiveAugmenter.augment` does."""
        return augmentation.diff_augment(images, self.policy, seed=seed) if self.policy else images

    def adapt(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor, *, weights: tf.Tensor, step: tf.Tensor
    ) -> None:
        """Does nothing: the strength is fixed."""


class AdaptiveAugmenter(keras.layers.Layer):
    """ADA: each distortion happens with a probability that grows while the discriminator overfits.

    The distortions are the paper's best for small sets, but for flips and quarter turns; its two turns
    by any angle are of at most 10 degrees here. So labels stay right. At probability 0 images pass
    unchanged. The probability is a weight of the model, logged as `augmentation_p`.

    The paper measures overfitting as the mean sign of the reals' logits: 0 if the discriminator cannot
    tell them from fakes, 1 if it always can. This assumes that 0 lies between reals and fakes, which
    not every loss ensures: the relativistic and the Wasserstein loss depend on differences of logits
    only, and least squares has its border at 0.5. Here the sign is taken relative to the median of the
    replica's real and fake logits together; as many reals lie above it as fakes below. The measure
    equals the paper's where 0 is that border. It stays the same when all logits are shifted or scaled,
    and outliers do not move it.

    Reference:
        - [Karras et al., 2020](https://arxiv.org/abs/2006.06676), section 3
    """

    def __init__(self) -> None:
        super().__init__(name="augmentation", dtype="float32", trainable=False)
        self.probability = self._add_state("probability", ())
        # Sum of the signs, and number of reals, since the probability last moved.
        self._tally = self._add_state("tally", (2,))
        self._logged = _Logged("augmentation_p", self.probability)
        self.built = True

    def augment(self, images: tf.Tensor, *, seed: tf.Tensor) -> tf.Tensor:
        """Distorts images at random.

        Args:
            images: Shape (batch, height, width, channels), float32, -1 to 1.
            seed: Shape (2,), int32 or int64; the same seed gives the same distortions.

        Returns:
            The same shape and dtype; colours may leave -1 to 1.
        """
        probability = tf.convert_to_tensor(self.probability)
        seeds = tf.random.experimental.stateless_split(seed, 2)

        def distort() -> tf.Tensor:
            moved = augmentation.distort_geometry(images, probability, seed=seeds[0])
            return augmentation.distort_colors(moved, probability, seed=seeds[1])

        return tf.cond(probability > 0.0, distort, lambda: images)

    def adapt(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor, *, weights: tf.Tensor, step: tf.Tensor
    ) -> None:
        """Counts a step, and every fourth moves the probability towards the target.

        Args:
            real_logits: A replica's logits of reals, shape (batch, 1), float32.
            fake_logits: Those of as many fakes.
            weights: Shape (batch,), from `global_batch.fill_empty`.
            step: Number of steps before this one.
        """
        signs = tf.sign(real_logits - _median(tf.concat([real_logits, fake_logits], axis=0)))
        seen = tf.stack([tf.reduce_sum(weights * tf.reshape(signs, [-1])), tf.reduce_sum(weights)])
        tally = self._tally + global_batch.sum_over_replicas(seen)
        # Replicas cannot assign within a condition.
        due = tf.equal(tf.cast(step, tf.int64) % INTERVAL, INTERVAL - 1)
        move = tf.where(tally[0] > TARGET * tally[1], tally[1], -tally[1]) / IMAGES_FROM_0_TO_1
        moved = tf.clip_by_value(self.probability + move, 0.0, 1.0)
        self.probability.assign(tf.where(due, moved, self.probability))
        self._tally.assign(tf.where(due, tf.zeros_like(tally), tally))

    def _add_state(self, name: str, shape: tuple[int, ...]) -> keras.Variable:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )


class _Logged(keras.metrics.Metric):
    """Logs a variable's present value."""

    def __init__(self, name: str, variable: keras.Variable) -> None:
        super().__init__(name=name)
        # A variable as an attribute would be the metric's state to Keras.
        self._read = functools.partial(tf.convert_to_tensor, variable)

    def update_state(self, *values: tf.Tensor) -> None:
        """Has nothing to gather."""

    def result(self) -> tf.Tensor:
        """Returns the variable's value."""
        return self._read()

    def reset_state(self) -> None:
        """Has nothing to reset."""


def make(name: str) -> FixedAugmenter | AdaptiveAugmenter:
    """Returns what a model's `augmentation` names: "ada", or a policy of DiffAugment.

    Raises:
        InputError: If there is no such augmentation.
    """
    return AdaptiveAugmenter() if name == ADAPTIVE else FixedAugmenter(name)


def _median(values: tf.Tensor) -> tf.Tensor:
    ordered = tf.sort(tf.reshape(values, [-1]))
    count = tf.size(ordered)
    return 0.5 * (ordered[(count - 1) // 2] + ordered[count // 2])
