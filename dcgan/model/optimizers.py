"""Adam as the presets want it, and two optimizers where Keras expects one."""

import copy
from collections.abc import Mapping
from typing import Any, TypeAlias

import keras

from dcgan.config import TrainingConfig
from dcgan.errors import InputError

Optimizer: TypeAlias = keras.optimizers.Optimizer | str | dict[str, Any]


def adam(
    learning_rate: float, config: TrainingConfig, *, total_steps: int | None = None
) -> keras.optimizers.Adam:
    """Makes Adam with a training's betas and schedule.

    Args:
        learning_rate: The learning rate, or the one at the start of a cosine schedule.
        config: How the networks are trained.
        total_steps: Steps until a cosine schedule ends. Defaults to None: the rate is constant.
    """
    rate: Any = learning_rate
    if total_steps and config.learning_rate_schedule == "cosine":
        floor = config.learning_rate_floor
        rate = keras.optimizers.schedules.CosineDecay(learning_rate, total_steps, alpha=floor)
    return keras.optimizers.Adam(rate, beta_1=config.beta_1, beta_2=config.beta_2)


class OptimizerPair(keras.optimizers.MultiOptimizer):
    """The optimizers of two networks, for callbacks that act on `model.optimizer`.

    `keras.callbacks.LearningRateScheduler`, `ReduceLROnPlateau`, `TensorBoard` and `SwapEMAWeights` act
    on each of `optimizers`, and log its learning rate as `learning_rate_<name of the network>`. The
    model saves the two optimizers as attributes of its own.

    Args:
        *optimizers: For each network an optimizer, its name or its configuration; None for Adam with a
            learning rate of 1e-4, the article's. Where a network computes in float16, the loss is
            scaled.
        networks: As many built models, by the names that their optimizers take.

    Attributes:
        whole: The optimizers with their scales of the loss, which `optimizers` is without.

    Raises:
        InputError: If one is no optimizer, has been used for other weights, or they are one object.
    """

    def __init__(self, *optimizers: Optimizer | None, networks: Mapping[str, keras.Model]) -> None:
        super().__init__(lambda variable: None, name="optimizer_pair")
        found = [*map(_get, optimizers, networks)]
        if len({id(_inner(optimizer)) for optimizer in found}) < len(found):
            raise InputError(
                f"{' and '.join(networks)}: expected an optimizer for each network. "
                "Received: the same object twice"
            )
        self.whole = [*map(_build, found, networks, networks.values())]
        self._inner_optimizers = [_inner(optimizer) for optimizer in self.whole]
        self.built = True

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables of all optimizers."""
        return [variable for optimizer in self.whole for variable in optimizer.variables]

    @keras.optimizers.MultiOptimizer.learning_rate.getter
    def learning_rate(self) -> Any:
        """The first optimizer's learning rate, for callbacks that log just one."""
        return self.optimizers[0].learning_rate

    @property
    def iterations(self) -> keras.Variable:
        """The steps of the last optimizer."""
        return self.optimizers[-1].iterations

    def get_config(self) -> dict[str, Any]:
        """Returns each optimizer's config under the name of its network, for callbacks that log it."""
        return {optimizer.name: optimizer.get_config() for optimizer in self.optimizers}

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """Has each optimizer finalize the variables that it was built with, whatever the list."""
        for optimizer in self.optimizers:
            optimizer.finalize_variable_values(optimizer._trainable_variables)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Saves nothing more."""

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """Loads nothing more."""


def _get(optimizer: Optimizer | None, name: str) -> keras.optimizers.Optimizer:
    # A copy, since Keras takes some configurations apart.
    given = copy.deepcopy(optimizer) if isinstance(optimizer, dict) else optimizer
    try:
        found = keras.optimizers.Adam(1e-4) if given is None else keras.optimizers.get(given)
    except (ValueError, TypeError, KeyError):
        found = None
    if found is None or isinstance(found, keras.optimizers.MultiOptimizer):
        raise InputError(
            f"{name}_optimizer: expected one of keras.optimizers, its name or its configuration. "
            f"Received: {optimizer!r}"
        )
    return found


def _build(
    optimizer: keras.optimizers.Optimizer, name: str, network: keras.Model
) -> keras.optimizers.Optimizer:
    # Models and inputs have Keras's global policy, whatever the layers have.
    layers = [each for each in network._flatten_layers() if each._trainable_variables]
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if not scaled and any(layer.compute_dtype == "float16" for layer in layers):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    for each in (optimizer, _inner(optimizer)):
        each.name = name
        known = set(map(id, each._trainable_variables))
        if each.built and not known.issuperset(map(id, network.trainable_weights)):
            raise InputError(
                f"{name}_optimizer: expected a new optimizer. Received: one used for other weights"
            )
    optimizer.build(network.trainable_weights)
    return optimizer


def _inner(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Returns what callbacks look at: the optimizer without its scale of the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)
