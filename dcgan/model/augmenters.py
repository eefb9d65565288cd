"""What distorts reals and fakes alike before the discriminator sees them, and how strongly."""

import functools

import keras
import tensorflow as tf

from dcgan import augmentation
from dcgan.config import ADAPTIVE
from dcgan.model import global_batch

# The paper's target and interval in steps. It moves the probability from 0 to 1 within 500,000 images,
# which is longer than many trainings of small networks last.
TARGET = 0.6
INTERVAL = 4
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
        """Stays as strong as it is."""


class AdaptiveAugmenter(keras.layers.Layer):
    """ADA: each distortion happens with a probability that grows while the discriminator overfits.

    The distortions are those that the paper calls best for small sets, without flips and with turns of
    at most 10 degrees each, so that labels keep. At probability 0 images pass as they are. The
    probability is a weight, and logged as `augmentation_p`.

    The paper measures overfitting as the mean sign of the reals' logits: 0 where the discriminator
    cannot tell them from fakes, 1 where it always can. That takes 0 for the border between both, which
    it is not with every loss: the relativistic and the Wasserstein loss see differences only, and least
    squares puts the border at 0.5. Here the border is the median of the batch's real and fake logits
    together, beyond which as many reals lie above as fakes below. So the measure is the paper's where 0
    separates best, does not change when all logits are shifted or scaled, and no outlier moves it.

    Reference:
        - [Karras et al., 2020](https://arxiv.org/abs/2006.06676), sections 3 and 3.1
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
    """Logs a variable as it stands at the end of an epoch."""

    def __init__(self, name: str, variable: keras.Variable) -> None:
        super().__init__(name=name)
        # Not as an attribute of its own, which Keras would take for the metric's state.
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
