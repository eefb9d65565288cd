"""What a config says, as arguments of `DCGAN` and of its `compile`."""

from typing import Any

import keras

from dcgan import networks, presets
from dcgan.config import RunConfig
from dcgan.model import optimizers


def resolve(preset: str | RunConfig) -> RunConfig:
    """Returns a preset's config, in the precision that Keras's global policy wants, where it wants one.

    Args:
        preset: A name from `dcgan.presets.PRESETS`, or a config, which passes as it is.

    Raises:
        InputError: If there is no such preset, or none of that precision.
    """
    if not isinstance(preset, str):
        return preset
    config, policy = presets.get(preset), keras.config.dtype_policy().name
    return config if policy == "float32" else presets.override(config, precision=policy)


def constructor_arguments(config: RunConfig) -> dict[str, Any]:
    """Builds a config's networks, and returns them with the other arguments of `DCGAN`."""
    network, precision, seed = config.network, config.precision, config.seed
    return {
        "generator": networks.build_generator(network, precision=precision, seed=seed),
        "discriminator": networks.build_discriminator(network, precision=precision, seed=seed),
        "classes": network.classes,
        "ema_decay": config.training.ema_decay,
        "augmentation": config.training.augmentation,
        "seed": config.seed,
    }


def compile_arguments(config: RunConfig, *, total_steps: int | None) -> dict[str, Any]:
    """Returns the arguments of `DCGAN.compile`.

    Args:
        config: The config.
        total_steps: Steps until a cosine schedule ends; None for constant rates.
    """
    training = config.training
    rates = training.generator_learning_rate, training.discriminator_learning_rate
    generator, discriminator = (
        optimizers.adam(rate, training, total_steps=total_steps) for rate in rates
    )
    return {
        "generator_optimizer": generator,
        "discriminator_optimizer": discriminator,
        "loss": training.loss,
        "label_smoothing": training.label_smoothing,
        "r1_gamma": training.r1_gamma * config.penalty_scale,
        "r2_gamma": training.r2_gamma * config.penalty_scale,
        "penalty_interval": training.penalty_interval,
    }
