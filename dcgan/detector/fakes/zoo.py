"""A few small GANs that differ in loss and up-sampler."""

import dataclasses
from collections.abc import Iterator

from dcgan.config import NetworkConfig, RunConfig, TrainingConfig
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.fakes import snapshots
from dcgan.detector.fakes.snapshots import LearningGan
from dcgan.detector.inputs.run_inputs import RunInputs
from dcgan.model import DCGAN


@dataclasses.dataclass(frozen=True)
class Member:
    """One GAN of the zoo.

    Attributes:
        loss: A key of `dcgan.losses.LOSSES`.
        upsampling: As in `dcgan.config.NetworkConfig`.
        kernel_size: Side of the kernels in pixels.
        stem: Whether there is a convolution at the coarsest size.
    """

    loss: str
    upsampling: str
    kernel_size: int
    stem: bool

    @property
    def name(self) -> str:
        """The generator's name in the pool."""
        return f"gan-{self.loss}-{self.upsampling}"


MEMBERS = (
    Member("non_saturating", "nearest", 3, stem=False),
    Member("least_squares", "bilinear", 3, stem=True),
    Member("hinge", "transpose", 5, stem=False),
)


def build_zoo(inputs: RunInputs, config: DetectorConfig, *, count: int) -> Iterator[LearningGan]:
    """Builds each member, to be drawn from in the second half of its training.

    Args:
        inputs: What the run provides; members take over its image shape and precision.
        config: Training steps of each member, and the seed of weights, order and latents.
        count: How many fakes of all members together.

    Yields:
        The members, each to be trained before the next is built.
    """
    for index, member in enumerate(MEMBERS):
        seed = 100 * config.seed + index + 1
        member_config = _configure(member, inputs.config, seed=seed)
        yield LearningGan(
            name=member.name,
            model=DCGAN.from_preset(member_config, total_steps=config.zoo_steps),
            count=count // len(MEMBERS),
            steps=config.zoo_steps,
            warm_up=snapshots.SNAPSHOTS,
            batch_size=member_config.training.batch_size,
            seed=seed,
            latent_seed=1000 * seed,
        )


def _configure(member: Member, config: RunConfig, *, seed: int) -> RunConfig:
    network = NetworkConfig(
        image_size=config.network.image_size,
        channels=config.network.channels,
        latent_dim=48,
        mapping_units=128,
        generator_width=20,
        discriminator_width=20,
        max_width=128,
        kernel_size=member.kernel_size,
        stem_convolution=member.stem,
        upsampling=member.upsampling,
        norm_momentum=0.9,
        negative_slope=0.2,
        dropout=0.0,
        head_units=128,
    )
    training = TrainingConfig(
        batch_size=64,
        loss=member.loss,
        r1_gamma=0.25,
        penalty_interval=8,
        generator_learning_rate=2e-3,
        discriminator_learning_rate=2e-3,
        beta_1=0.5,
        beta_2=0.99,
        learning_rate_schedule="cosine",
        ema_decay=0.99,
    )
    return RunConfig(network=network, training=training, precision=config.precision, seed=seed)
