"""Copies of the run's model that train on, each in its own way.

They pass through generators as good as the run's own that leave other traces, like those of the same
training under another seed.
"""

import dataclasses
from collections.abc import Iterator

from dcgan.config import TrainingConfig
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.fakes.snapshots import LearningGan
from dcgan.detector.inputs.run_inputs import RunInputs
from dcgan.model import DCGAN

# Seeds that nobody draws test samples with.
_SEED = 2**29
# Short enough for the average to follow a few hundred steps.
_EMA_DECAY = 0.98


@dataclasses.dataclass(frozen=True)
class Continuation:
    """How a copy of the run's model trains on, at constant rates.

    Attributes:
        name: The generator's name in the pool.
        loss: A key of `dcgan.losses.LOSSES`. Defaults to the run's own.
        generator_speed: Factor of the generator's learning rate. Defaults to 1.
        discriminator_speed: Factor of the discriminator's learning rate. Defaults to 1.
    """

    name: str
    loss: str | None = None
    generator_speed: float = 1.0
    discriminator_speed: float = 1.0

    def configure(self, training: TrainingConfig) -> TrainingConfig:
        """Returns a run's training config with this one's loss and rates."""
        return dataclasses.replace(
            training,
            loss=self.loss or training.loss,
            label_smoothing=0.0,
            generator_learning_rate=self.generator_speed * training.generator_learning_rate,
            discriminator_learning_rate=self.discriminator_speed * training.discriminator_learning_rate,
        )


CONTINUATIONS = (
    Continuation("gan-own-hinge", loss="hinge"),
    Continuation("gan-own-least_squares", loss="least_squares"),
    Continuation("gan-own-faster", generator_speed=2.0, discriminator_speed=1.5),
)


def continue_own(inputs: RunInputs, config: DetectorConfig, *, count: int) -> Iterator[LearningGan]:
    """Copies a run's model to train on in several ways.

    Args:
        inputs: What the run provides; its model is left unchanged.
        config: The copies' training steps, and the seed of every draw.
        count: How many fakes of all copies together.

    Yields:
        The copies, each to be trained before the next is made.
    """
    for index, continuation in enumerate(CONTINUATIONS):
        training = continuation.configure(inputs.config.training)
        copy = DCGAN.from_preset(dataclasses.replace(inputs.config, training=training))
        copy.set_weights(inputs.model.get_weights())
        copy.ema_decay = min(copy.ema_decay, _EMA_DECAY)
        seed = _SEED + 1000 * (index + 1) + config.seed
        yield LearningGan(
            name=continuation.name,
            model=copy,
            count=count // len(CONTINUATIONS),
            steps=config.continuation_steps,
            batch_size=training.batch_size,
            seed=seed,
            latent_seed=seed,
        )
