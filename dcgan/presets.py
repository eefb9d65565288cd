"""Starting points for a run, as plain data."""

import dataclasses
from typing import Any

from dcgan.config import RunConfig
from dcgan.errors import InputError

# docs/presets.md tells how these were chosen.
_NETWORK: dict[str, Any] = {
    "latent_dim": 64,
    "mapping_units": 256,
    "generator_width": 32,
    "discriminator_width": 32,
    "kernel_size": 4,
    "coarsest_size": 4,
    "stem_convolution": False,
    "smoothing": True,
    "generator_blocks": 1,
    "head_units": 256,
    "norm_momentum": 0.9,
    "negative_slope": 0.2,
    "dropout": 0.0,
    "initializer": "he_normal",
}
_TRAINING: dict[str, Any] = {
    "batch_size": 32,
    "r1_gamma": 0.25,
    "penalty_interval": 8,
    "generator_learning_rate": 2e-3,
    "discriminator_learning_rate": 2e-3,
    "beta_1": 0.5,
    "beta_2": 0.99,
    "learning_rate_schedule": "cosine",
    "ema_decay": 0.999,
    "checkpoint_every": 1,
}
_RGB: dict[str, Any] = {
    **_NETWORK,
    "channels": 3,
    "latent_dim": 100,
    "max_width": 256,
}

_RGB_TRAINING = {**_TRAINING, "r1_gamma": 1.0, "epochs": 30}

PRESETS: dict[str, dict[str, Any]] = {
    # The article's networks and hyper-parameters are the config's defaults.
    "article": {},
    "mnist": {
        "network": _NETWORK,
        "training": {**_TRAINING, "epochs": 6, "learning_rate_floor": 0.25},
    },
    "rgb32": {"network": {**_RGB, "image_size": 32}, "training": _RGB_TRAINING},
    "rgb64": {"network": {**_RGB, "image_size": 64}, "training": _RGB_TRAINING},
    "rgb128": {"network": {**_RGB, "image_size": 128}, "training": _RGB_TRAINING},
}


def get(name: str) -> RunConfig:
    """Returns a preset's config, to be changed with `override`.

    Args:
        name: A key of `PRESETS`: "article", "mnist", "rgb32", "rgb64" or "rgb128".

    Raises:
        InputError: If there is no such preset.

    Example:
        >>> get("article").training.batch_size
        256
    """
    if name not in PRESETS:
        raise InputError(f"preset: expected one of {', '.join(PRESETS)}. Received: {name!r}")
    return RunConfig.from_dict({"preset": name, **PRESETS[name]})


def override(
    config: RunConfig,
    *,
    network: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    **run: Any,
) -> RunConfig:
    """Returns a config with some values changed and all of them checked again.

    Args:
        config: The config that the other values come from.
        network: `NetworkConfig` values to change.
        training: `TrainingConfig` values to change.
        **run: `RunConfig` values to change.

    Raises:
        InputError: If a value is out of range.

    Example:
        >>> config = dcgan.presets.override(dcgan.presets.get("article"), training={"epochs": 5}, seed=1)
        >>> config.training.epochs, config.seed
        (5, 1)
    """
    return dataclasses.replace(
        config,
        network=dataclasses.replace(config.network, **(network or {})),
        training=dataclasses.replace(config.training, **(training or {})),
        **run,
    )
