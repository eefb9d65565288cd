"""What can be exported: a detector, or a discriminator that answers like one."""

from typing import Any, Protocol

import keras
import tensorflow as tf

from dcgan.detector.threshold import Calibration
from dcgan.scoring import DECISIONS

_FAKE = DECISIONS.index("fake")


class ScoringModel(Protocol):
    """What scores images: a `dcgan.detector.Detector`, or anything with these members."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The (height, width, channels) that it takes."""

    @property
    def calibration(self) -> Calibration | None:
        """What its probabilities and thresholds promise; None if it is not calibrated."""

    @property
    def weights(self) -> list[keras.Variable]:
        """Everything that its scores depend on."""

    def __call__(self, images: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """Scores float images in -1 to 1, see `Detector.call`."""


class DiscriminatorScorer:
    """An uncalibrated discriminator as a scoring model: `p_fake` is the sigmoid of minus its logit.

    Args:
        discriminator: From (batch, height, width, channels) images, float32 in -1 to 1, to
            (batch, 1) logits, positive for real.
    """

    calibration: Calibration | None = None

    def __init__(self, discriminator: keras.Model) -> None:
        self._discriminator = discriminator

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The (height, width, channels) that it takes."""
        return tuple(self._discriminator.input_shape[1:])

    @property
    def weights(self) -> list[Any]:
        """The discriminator's weights."""
        return self._discriminator.weights

    def __call__(self, images: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """Scores images, see `ScoringModel`; nothing is unsure or unfamiliar."""
        logits = tf.cast(self._discriminator(images, training=training)[:, 0], tf.float32)
        return {
            "p_fake": tf.sigmoid(-logits),
            "familiarity": tf.ones_like(logits),
            "discriminator_logit": logits,
            # Whatever is not known to be real, such as NaN, is not called so.
            "decision": tf.where(logits >= 0, 0, _FAKE),
        }
