"""Adversarial losses as pure functions of the discriminator's logits.

A positive logit means real. Every loss takes logits of shape [..., 1], any float, works elementwise and
returns float32 of that shape, unreduced, so that callers choose how to average over a global batch.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from dcgan.config import SMOOTHABLE_LOSSES, Loss
from dcgan.errors import InputError

# Weight of the pull of logits towards 0.
_DRIFT = 1e-3


class AdversarialLoss(NamedTuple):
    """What each network minimizes, as `get` returns it.

    Attributes:
        generator: `(real_logits, fake_logits) -> loss`, shapes (batch, 1) each.
        discriminator: Likewise; those of `dcgan.config.SMOOTHABLE_LOSSES` take `label_smoothing` as
            well.
    """

    generator: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    discriminator: Callable[..., tf.Tensor]


def non_saturating_generator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """Returns the cross-entropy of calling the fakes real: `softplus(-fake)`.

    Example:
        >>> real, fake = tf.constant([[2.0]]), tf.constant([[-1.0]])
        >>> non_saturating_generator_loss(real, fake).numpy().round(2)
        array([[1.31]], dtype=float32)

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 3
    """
    del real_logits
    return tf.math.softplus(-_float32(fake_logits))


def non_saturating_discriminator_loss(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, label_smoothing: float = 0.0
) -> tf.Tensor:
    """Returns the cross-entropy of telling reals from fakes: `softplus(-real) + softplus(fake)`.

    `label_smoothing` is how far below 1 the reals' target lies, 0 to 1; the fakes' stays 0.

    Example:
        >>> real, fake = tf.constant([[2.0]]), tf.constant([[-1.0]])
        >>> non_saturating_discriminator_loss(real, fake).numpy().round(2)
        array([[0.44]], dtype=float32)

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661)
        - one-sided smoothing: [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 3.4
    """
    real_logits, fake_logits = _float32(real_logits), _float32(fake_logits)
    real_loss = tf.math.softplus(-real_logits) + label_smoothing * real_logits
    return real_loss + tf.math.softplus(fake_logits)


def least_squares_generator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """Returns half the squared distance of the fakes' outputs from 1.

    Example:
        >>> real, fake = tf.constant([[2.0]]), tf.constant([[-1.0]])
        >>> least_squares_generator_loss(real, fake).numpy()
        array([[2.]], dtype=float32)

    Reference:
        - [Mao et al., 2017](https://arxiv.org/abs/1611.04076), a = 0, b = c = 1
    """
    del real_logits
    return 0.5 * tf.square(_float32(fake_logits) - 1.0)


def least_squares_discriminator_loss(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, label_smoothing: float = 0.0
) -> tf.Tensor:
    """Returns half the squared distances of the reals' outputs from 1 and of the fakes' from 0.

    `label_smoothing` is how far below 1 the reals' target lies, 0 to 1.

    Example:
        >>> real, fake = tf.constant([[2.0]]), tf.constant([[-1.0]])
        >>> least_squares_discriminator_loss(real, fake).numpy()
        array([[1.]], dtype=float32)

    Reference:
        - [Mao et al., 2017](https://arxiv.org/abs/1611.04076)
    """
    real_error = tf.square(_float32(real_logits) - (1.0 - label_smoothing))
    return 0.5 * (real_error + tf.square(_float32(fake_logits)))


def hinge_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """Returns how far the logits miss a margin of 1: `max(0, 1 - real) + max(0, 1 + fake)`.

    Example:
        >>> real, fake = tf.constant([[2.0]]), tf.constant([[-0.5]])
        >>> hinge_discriminator_loss(real, fake).numpy()
        array([[0.5]], dtype=float32)

    Reference:
        - [Lim and Ye, 2017](https://arxiv.org/abs/1705.02894)
    """
    return tf.nn.relu(1.0 - _float32(real_logits)) + tf.nn.relu(1.0 + _float32(fake_logits))


def wasserstein_generator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """Returns the negated score of the fakes; also the generator's side of the hinge loss.

    Example:
        >>> real, fake = tf.constant([[2.0]]), tf.constant([[-1.0]])
        >>> wasserstein_generator_loss(real, fake).numpy()
        array([[1.]], dtype=float32)

    Reference:
        - [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875)
    """
    del real_logits
    return -_float32(fake_logits)


def wasserstein_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """Returns the critic's negated estimate of the distance, `fake - real`; needs a gradient penalty.

    Example:
        >>> real, fake = tf.constant([[2.0]]), tf.constant([[-1.0]])
        >>> wasserstein_discriminator_loss(real, fake).numpy()
        array([[-3.]], dtype=float32)

    Reference:
        - [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875)
    """
    return _float32(fake_logits) - _float32(real_logits)


def relativistic_generator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """Returns the cross-entropy of ranking each fake above its real: `softplus(real - fake)`.

    Example:
        >>> real, fake = tf.constant([[2.0]]), tf.constant([[-1.0]])
        >>> relativistic_generator_loss(real, fake).numpy().round(2)
        array([[3.05]], dtype=float32)

    Reference:
        - [Jolicoeur-Martineau, 2018](https://arxiv.org/abs/1807.00734)
        - with R1 and R2: [Huang et al., 2025](https://arxiv.org/abs/2501.05441), equation 1
    """
    return tf.math.softplus(_float32(real_logits) - _float32(fake_logits))


def relativistic_discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """Returns the cross-entropy of ranking each real above its fake: `softplus(fake - real)`.

    Only differences count there, so a faint pull of each pair's mean towards 0 keeps 0 between reals
    and fakes.

    Example:
        >>> real, fake = tf.constant([[2.0]]), tf.constant([[-1.0]])
        >>> relativistic_discriminator_loss(real, fake).numpy().round(2)
        array([[0.05]], dtype=float32)

    Reference:
        - [Jolicoeur-Martineau, 2018](https://arxiv.org/abs/1807.00734)
        - the pull: [Karras et al., 2018](https://arxiv.org/abs/1710.10196), appendix A.1
    """
    real_logits, fake_logits = _float32(real_logits), _float32(fake_logits)
    middle = 0.5 * (real_logits + fake_logits)
    return tf.math.softplus(fake_logits - real_logits) + _DRIFT * tf.square(middle)


def gradient_penalty(
    critic: Callable[[tf.Tensor], tf.Tensor], images: tf.Tensor, *, target: float = 0.0
) -> tf.Tensor:
    """Returns the squared distance of each image's gradient norm from a target.

    With `target=0` this is R1 on real images and R2 on fakes (times 2 / gamma); with `target=1` on
    mixtures of reals and fakes it is WGAN-GP's penalty. The critic must treat each image on its own:
    with batch normalization an image's gradient is not defined.

    Args:
        critic: `images -> logits`, shapes (batch, height, width, channels) to (batch, 1).
        images: Shape (batch, height, width, channels), float32, -1 to 1.
        target: The norm wanted, at least 0. Defaults to 0.

    Returns:
        Shape (batch,), float32, at least 0.

    Example:
        >>> def critic(images):
        ...     return 3 * tf.reshape(images[:, 0, 0], [-1, 1])
        >>> gradient_penalty(critic, tf.zeros((2, 8, 8, 1))).numpy()
        array([9., 9.], dtype=float32)
        >>> gradient_penalty(critic, tf.zeros((2, 8, 8, 1)), target=1.0).numpy()
        array([4., 4.], dtype=float32)

    Reference:
        - R1, R2: [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), equations 9 and 10
        - WGAN-GP: [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), equation 3
    """
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = critic(images)
    gradients = _float32(tape.gradient(logits, images))
    squared_norms = tf.reduce_sum(tf.square(gradients), axis=[1, 2, 3])
    if target == 0.0:
        return squared_norms
    # The root's own gradient is infinite at 0.
    return tf.square(tf.sqrt(squared_norms + 1e-12) - target)


def weighted_penalties(
    critic: Callable[[tf.Tensor], tf.Tensor], terms: Sequence[tuple[float, tf.Tensor]]
) -> tf.Tensor:
    """Returns the sum of `gamma / 2` times the squared gradient norm over several kinds of images.

    Args:
        critic: As for `gradient_penalty`.
        terms: Pairs of gamma, at least 0, and as many images each; a gamma of 0 costs nothing. R1 has
            reals, R2 fakes.

    Returns:
        Shape (batch,), float32, at least 0.

    Example:
        >>> def critic(images):
        ...     return 3 * tf.reshape(images[:, 0, 0], [-1, 1])
        >>> reals = fakes = tf.zeros((2, 8, 8, 1))
        >>> weighted_penalties(critic, [(0.2, reals), (0.0, fakes)]).numpy().round(2)
        array([0.9, 0.9], dtype=float32)
    """
    return sum(0.5 * gamma * gradient_penalty(critic, images) for gamma, images in terms if gamma)


LOSSES: dict[Loss, AdversarialLoss] = {
    Loss.NON_SATURATING: AdversarialLoss(
        non_saturating_generator_loss, non_saturating_discriminator_loss
    ),
    Loss.LEAST_SQUARES: AdversarialLoss(least_squares_generator_loss, least_squares_discriminator_loss),
    Loss.HINGE: AdversarialLoss(wasserstein_generator_loss, hinge_discriminator_loss),
    Loss.WASSERSTEIN: AdversarialLoss(wasserstein_generator_loss, wasserstein_discriminator_loss),
    Loss.RELATIVISTIC: AdversarialLoss(relativistic_generator_loss, relativistic_discriminator_loss),
}


def get(name: str, *, label_smoothing: float = 0.0) -> AdversarialLoss:
    """Returns the pair of losses of that name.

    Args:
        name: A key of `LOSSES`.
        label_smoothing: How far below 1 the reals' target lies, 0 to 1. Defaults to 0.

    Raises:
        InputError: If there is no such loss, or it takes no such label smoothing.

    Example:
        >>> loss = dcgan.losses.get("non_saturating", label_smoothing=0.1)
        >>> loss.discriminator(tf.zeros((1, 1)), tf.zeros((1, 1))).numpy().round(2)
        array([[1.39]], dtype=float32)
    """
    if not isinstance(name, str) or name not in LOSSES:
        raise InputError(f"loss: expected one of {', '.join(LOSSES)}. Received: {name!r}")
    if not 0 <= label_smoothing <= 1:
        raise InputError(f"label_smoothing: expected 0 to 1. Received: {label_smoothing!r}")
    loss = LOSSES[Loss(name)]
    if not label_smoothing:
        return loss
    if name not in SMOOTHABLE_LOSSES:
        raise InputError(
            f"label_smoothing: expected 0 with the {name} loss. Received: {label_smoothing!r}"
        )
    smoothed = functools.partial(loss.discriminator, label_smoothing=label_smoothing)
    return loss._replace(discriminator=smoothed)


def _float32(logits: tf.Tensor) -> tf.Tensor:
    return keras.ops.cast(logits, "float32")
