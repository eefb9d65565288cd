"""Adam as the presets want it, and two optimizers where Keras expects one."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import keras

from dcgan.config import TrainingConfig

Optimizer: TypeAlias = keras.optimizers.Optimizer | str | dict[str, Any]


def adam(
    learning_rate: float, config: TrainingConfig, *, total_steps: int | None = None
) -> keras.optimizers.Adam:
    """Makes Adam with a training's betas and schedule.

    Args:
        learning_rate: The learning rate, or the one at the start of a cosine schedule.
        config: How the networks are trained.
        total_steps: Steps until a cosine schedule reaches 0. Defaults to None: the rate is constant.
    """
    rate: Any = learning_rate
    if total_steps and config.learning_rate_schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(learning_rate, total_steps)
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

    Raises:
        ValueError: If one is no optimizer, or they are one object.
    """

    def __init__(self, *optimizers: Optimizer | None, networks: Mapping[str, keras.Model]) -> None:
        super().__init__(lambda variable: None, name="optimizer_pair")
        given = [each for each in optimizers if isinstance(each, keras.optimizers.Optimizer)]
        if len(set(map(id, given))) < len(given):
            raise ValueError("Expected an optimizer for each network. Received the same object twice.")
        self._inner_optimizers = [*map(_build, optimizers, networks, networks.values())]
        # Not the variables themselves, which Keras would take for the pair's own.
        self._owned = tuple(
            frozenset(map(id, network.trainable_weights)) for network in networks.values()
        )
        self.built = True

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables of all optimizers."""
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]

    @property
    def iterations(self) -> keras.Variable:
        """The steps of the last optimizer."""
        return self.optimizers[-1].iterations

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """Hands each optimizer its own variables of the list."""
        for optimizer, owned in zip(self.optimizers, self._owned, strict=True):
            optimizer.finalize_variable_values([each for each in var_list if id(each) in owned])

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Saves nothing more."""

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """Loads nothing more."""


def _build(optimizer: Optimizer | None, name: str, network: keras.Model) -> keras.optimizers.Optimizer:
    built: Any = keras.optimizers.get(optimizer or keras.optimizers.Adam(1e-4))
    scaled = isinstance(built, keras.optimizers.LossScaleOptimizer)
    if not scaled and any(layer.compute_dtype == "float16" for layer in network.layers):
        built = keras.optimizers.LossScaleOptimizer(built)
    built.name = name
    built.build(network.trainable_weights)
    return built
