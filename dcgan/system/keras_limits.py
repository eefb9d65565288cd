"""Keras's own limits on training, `KERAS_MAX_EPOCHS` and `KERAS_MAX_STEPS_PER_EPOCH`.

Keras cuts every `fit` down to them without an error.
"""

import keras

from dcgan.errors import InputError

EPOCHS, STEPS = "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"


def refuse(what: str) -> None:
    """Refuses to train under either limit.

    Args:
        what: What would be trained, for the error.

    Raises:
        InputError: If a limit is set.
    """
    limits = {EPOCHS: keras.config.max_epochs(), STEPS: keras.config.max_steps_per_epoch()}
    for name, limit in limits.items():
        if limit:
            raise InputError(f"{name}={limit}: expected it unset, since it would cut {what} short")


def check_steps(steps: int) -> None:
    """Refuses a limit that would cut an epoch short, which a resumed training could not make up for.

    Args:
        steps: Steps of an epoch.

    Raises:
        InputError: If the limit is lower.
    """
    limit = keras.config.max_steps_per_epoch()
    if limit and limit < steps:
        raise InputError(f"{STEPS}={limit}: expected it unset, or at least an epoch's {steps} steps")
