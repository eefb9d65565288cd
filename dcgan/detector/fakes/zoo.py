"""Fakes of a few small GANs that differ in loss and up-sampler."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from dcgan.config import NetworkConfig, RunConfig, TrainingConfig
from dcgan.detector.fakes import snapshots
from dcgan.detector.fakes.fake_pool import Fakes
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


def draw_zoo(
    reals: np.ndarray,
    *,
    config: RunConfig,
    count: int,
    steps: int,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback],
) -> list[Fakes]:
    """Trains each member and draws from it at four times in the second half of its training.

    Args:
        reals: Shape (images, size, size, channels), uint8.
        config: The run whose image shape and precision the members take over.
        count: How many fakes in all.
        steps: Training steps of each member.
        seed: Seed of weights, order and latents. Defaults to 0.
        callbacks: One a member, called by `fit`.

    Returns:
        The fakes of each member.
    """
    fakes = []
    for index, (member, callback) in enumerate(zip(MEMBERS, callbacks, strict=True)):
        member_seed = 100 * seed + index + 1
        member_config = _configure(member, config, seed=member_seed)
        drawn = snapshots.draw_while_training(
            DCGAN.from_preset(member_config, total_steps=steps),
            reals,
            count=count // len(MEMBERS),
            steps=steps,
            warm_up=snapshots.SNAPSHOTS,
            batch_size=member_config.training.batch_size,
            seed=member_seed,
            latent_seed=1000 * member_seed,
            callback=callback,
        )
        fakes.append(Fakes(member.name, "gan", drawn))
    return fakes


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
        r1_gamma=0.2,
        r1_interval=8,
        generator_learning_rate=2e-3,
        discriminator_learning_rate=2e-3,
        beta_1=0.5,
        beta_2=0.99,
        learning_rate_schedule="cosine",
        ema_decay=0.99,
    )
    return RunConfig(network=network, training=training, precision=config.precision, seed=seed)
