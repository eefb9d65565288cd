"""A few small GANs that differ in loss and up-sampler, and what they draw while they learn."""

import dataclasses
from collections.abc import Callable

import numpy as np

from dcgan import data
from dcgan.config import NetworkConfig, RunConfig, TrainingConfig
from dcgan.detector.fakes.snapshots import Snapshots
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
        """What its fakes' origin is called."""
        return f"gan-{self.loss}-{self.upsampling}"


MEMBERS = (
    Member("non_saturating", "nearest", 3, stem=False),
    Member("least_squares", "bilinear", 3, stem=True),
    Member("hinge", "transpose", 5, stem=False),
)


def draw(
    member: Member,
    reals: np.ndarray,
    *,
    count: int,
    config: RunConfig,
    steps: int,
    snapshots: int = 4,
    seed: int = 0,
    on_step: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Trains a member and draws from it at several times, the last half of its training.

    Args:
        member: Which.
        reals: Shape (images, size, size, channels), uint8.
        count: How many fakes in all.
        config: The run whose image shape and precision it takes over.
        steps: Training steps.
        snapshots: At how many times it draws. Defaults to 4.
        seed: Of weights, order and latents. Defaults to 0.
        on_step: Called after each step. Defaults to nothing.

    Returns:
        Shape (count, size, size, channels), uint8.
    """
    training = _configure(member, config, seed=seed)
    model = DCGAN.from_preset(training, total_steps=steps)
    epochs = 2 * snapshots
    snapshot = Snapshots(count, first=snapshots, epochs=epochs, on_step=on_step, seed=1000 * seed)
    model.fit(
        data.batches(reals, training.training.batch_size, seed=seed, repeat=True),
        steps_per_epoch=max(1, steps // epochs),
        epochs=epochs,
        callbacks=[snapshot],
        verbose=0,
        shuffle=False,
    )
    return np.concatenate(snapshot.drawn)


def rounded(steps: int, *, snapshots: int = 4) -> int:
    """Returns how many steps `draw` really takes."""
    return max(1, steps // (2 * snapshots)) * 2 * snapshots


def _configure(member: Member, config: RunConfig, *, seed: int) -> RunConfig:
    shape = config.network
    network = NetworkConfig(
        image_size=shape.image_size,
        channels=shape.channels,
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
