"""What a search may change: every hyper-parameter with its range, in one place."""

import contextlib
import dataclasses
import graphlib
import json
import math
import os
import pathlib
import random
import tomllib
from collections.abc import Mapping
from typing import Any, Self

from dcgan import presets
from dcgan.config import SMOOTHABLE_LOSSES, NetworkConfig, RunConfig, TrainingConfig
from dcgan.errors import InputError

_DIGITS = 4
_TRIED = 200
# What the data or the search itself decides.
_NOT_TUNED = ("image_size", "channels", "classes", "epochs", "checkpoint_every", "evaluate_every")

_FIELDS = {
    field.name: field
    for config in (NetworkConfig, TrainingConfig)
    for field in dataclasses.fields(config)
    if field.name not in _NOT_TUNED
}
_NETWORK = {field.name for field in dataclasses.fields(NetworkConfig)}


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parameter:
    """The values that one hyper-parameter may take: a choice or a range.

    Args:
        choice: The values; a single one is fixed. Defaults to none, for a range.
        low: The least value of a range, inclusive.
        high: The greatest value of a range, inclusive.
        log: Whether a range is sampled evenly in its logarithm. Defaults to False.
        when: The names of other parameters, each with those of its values under which this one matters;
            otherwise it takes its default in `dcgan.config`. Defaults to always.

    Raises:
        InputError: If there is neither a choice nor a range, or both, or the range is empty.

    Example:
        >>> rate = tuning.Parameter(low=1e-4, high=1e-2, log=True)
        >>> loss = tuning.Parameter(choice=("hinge", "wasserstein"))
        >>> space = tuning.Space({"generator_learning_rate": rate, "loss": loss})
        >>> sorted(space.sample(0))
        ['generator_learning_rate', 'loss']
    """

    choice: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    when: Mapping[str, tuple[Any, ...]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Takes single values and lists for tuples, and checks what needs no name."""
        object.__setattr__(self, "choice", _tuple(self.choice))
        when = {parent: _tuple(allowed) for parent, allowed in dict(self.when).items()}
        object.__setattr__(self, "when", when)
        if self.choice:
            if (self.low, self.high, self.log) != (0, 0, False):
                raise InputError("expected either choice or low and high")
        elif not self.low < self.high:
            raise InputError(f"expected low below high. Received: {self.low!r} and {self.high!r}")
        elif self.log and self.low <= 0:
            raise InputError(f"expected low above 0 with log. Received: {self.low!r}")

    @property
    def bounds(self) -> tuple[float, float]:
        """The ends of a range."""
        return self.low, self.high

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values of a choice, the ends of a range."""
        return self.choice or self.bounds

    @property
    def fixed(self) -> bool:
        """Whether there is one value only."""
        return len(self.choice) == 1

    def is_active(self, values: Mapping[str, Any]) -> bool:
        """Returns whether the parameter matters, given the values of those it depends on."""
        return all(values.get(parent) in allowed for parent, allowed in self.when.items())


def _choice(*values: Any, **when: tuple[Any, ...]) -> Parameter:
    return Parameter(choice=values, when=when)


_DEFAULT: dict[str, Parameter] = {
    "latent_dim": _choice(32, 64, 100, 128),
    "generator_width": _choice(16, 32, 48, 64),
    "discriminator_width": _choice(16, 32, 48, 64),
    "kernel_size": _choice(3, 4, 5),
    "generator_norm": _choice("batch", "none"),
    "discriminator_norm": _choice("none", "batch"),
    "generator_learning_rate": Parameter(low=1e-4, high=5e-3, log=True),
    "discriminator_learning_rate": Parameter(low=1e-4, high=5e-3, log=True),
    "beta_1": Parameter(low=0.0, high=0.9),
    "batch_size": _choice(32, 64, 128, 256),
    "loss": _choice("non_saturating", "least_squares", "hinge"),
    "r1_gamma": _choice(0.0, 0.05, 0.2, 1.0, 5.0, discriminator_norm=("none",)),
    "ema_decay": _choice(0.0, 0.99, 0.995, 0.999),
    "label_smoothing": _choice(0.0, 0.1, 0.2, loss=SMOOTHABLE_LOSSES),
    "augmentation": _choice("", "translation", "color,translation"),
}


@dataclasses.dataclass(frozen=True)
class Space:
    """All that a search may change; everything else comes from its base configuration.

    Args:
        parameters: By name, which is that of a value of `NetworkConfig` or `TrainingConfig`. Defaults to
            latent size, widths, kernel, normalisation, learning rates, beta1, batch size, loss, R1,
            moving average, label smoothing and augmentation.

    Raises:
        InputError: If a name is unknown, or a value is one that no model can have.

    Example:
        >>> space = tuning.Space().change(loss="hinge", dropout={"low": 0.0, "high": 0.5})
        >>> space.to_config(dcgan.presets.get("mnist"), space.sample(0)).training.loss
        'hinge'
    """

    parameters: Mapping[str, Parameter] = dataclasses.field(default_factory=lambda: dict(_DEFAULT))

    def __post_init__(self) -> None:
        """Checks every parameter and puts those that others depend on first."""
        for name, parameter in self.parameters.items():
            _check(name, parameter, self.parameters)
        object.__setattr__(self, "parameters", _parents_first(self.parameters))

    def change(self, **changes: Any) -> Self:
        """Returns the space with some parameters narrowed, fixed or added.

        Args:
            **changes: By name: a value to fix it at, a list of values to choose from, a dictionary of
                `Parameter`'s arguments, or a `Parameter`. Without a new `when` the former one stays.

        Raises:
            InputError: As for the class.
        """
        former = self.parameters
        parsed = {name: _parse(name, change, former.get(name)) for name, change in changes.items()}
        return dataclasses.replace(self, parameters={**former, **parsed})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Returns the default space with the changes of a JSON or TOML file, see `change`.

        Raises:
            InputError: If the file cannot be read, or as for the class.
        """
        path = pathlib.Path(path)
        try:
            text = path.read_text(encoding="utf-8")
            changes = dict(tomllib.loads(text) if path.suffix == ".toml" else json.loads(text))
        except (OSError, TypeError, ValueError) as error:
            raise InputError(f"{path}: expected a search space in JSON or TOML ({error})") from None
        try:
            return cls().change(**changes)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    def to_dict(self) -> dict[str, Any]:
        """Returns JSON values from which `change` makes the same space."""
        return {
            name: (
                {"choice": list(p.choice)} if p.choice else {"low": p.low, "high": p.high, "log": p.log}
            )
            | {"when": {parent: list(allowed) for parent, allowed in p.when.items()}}
            for name, p in self.parameters.items()
        }

    def check(self, base: RunConfig) -> None:
        """Checks that points of the space are valid configurations.

        Args:
            base: The source of all other values.

        Raises:
            InputError: If one of 200 random points is not.
        """
        for seed in range(_TRIED):
            try:
                self.to_config(base, self.sample(seed))
            except InputError as error:
                raise InputError(f"search space: {error}") from None

    def sample(self, seed: int) -> dict[str, Any]:
        """Draws a point, without values that do not matter.

        Args:
            seed: Seed of the draw.
        """
        draw = random.Random(seed)
        values: dict[str, Any] = {}
        for name, parameter in self.parameters.items():
            if parameter.is_active(values):
                values[name] = _typed(name, _draw(parameter, draw))
        return values

    def declare(self, hp: Any) -> dict[str, Any]:
        """Declares every parameter to KerasTuner; returns the values of those that matter.

        Args:
            hp: The `keras_tuner.HyperParameters`.
        """
        values = {}
        for name, parameter in self.parameters.items():
            with contextlib.ExitStack() as conditions:
                for parent, allowed in parameter.when.items():
                    conditions.enter_context(hp.conditional_scope(parent, list(allowed)))
                value = _declare(hp, name, parameter)
            if value is not None:
                values[name] = value
        return values

    def to_config(self, base: RunConfig, values: Mapping[str, Any]) -> RunConfig:
        """Returns the configuration of a point, with floats of four digits.

        Args:
            base: The source of all other values.
            values: The point; missing parameters take their defaults in `dcgan.config`.

        Raises:
            InputError: If values contradict each other.
        """
        network: dict[str, Any] = {}
        training: dict[str, Any] = {}
        for name in self.parameters:
            section = network if name in _NETWORK else training
            section[name] = _typed(name, values.get(name, _FIELDS[name].default))
        return presets.override(base, network=network, training=training)


def _check(name: str, parameter: Parameter, all_parameters: Mapping[str, Parameter]) -> None:
    if name not in _FIELDS:
        raise InputError(f"{name}: expected one of {', '.join(_FIELDS)}")
    if unknown := sorted(set(parameter.when) - set(all_parameters)):
        raise InputError(
            f"{name}: when: expected parameters of the space. Received: {', '.join(unknown)}"
        )
    kind = _FIELDS[name].type
    if not parameter.choice and kind not in (int, float):
        raise InputError(f"{name}: expected a choice, as its values have no range")
    owner = NetworkConfig if name in _NETWORK else TrainingConfig
    for value in parameter.ends:
        if type(value) not in ((int, float) if kind is float else (kind,)):
            expected = getattr(kind, "__name__", kind)
            raise InputError(f"{name}: expected values of type {expected}. Received: {value!r}")
        dataclasses.replace(owner(), **{name: _typed(name, value)})


def _parents_first(parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    sorter = graphlib.TopologicalSorter({name: value.when for name, value in parameters.items()})
    try:
        return {name: parameters[name] for name in sorter.static_order()}
    except graphlib.CycleError as error:
        raise InputError(f"{error.args[1][0]}: expected no parameter to depend on itself") from None


def _parse(name: str, change: Any, former: Parameter | None) -> Parameter:
    if isinstance(change, Parameter):
        return change
    fields = dict(change) if isinstance(change, Mapping) else {"choice": change}
    keys = [field.name for field in dataclasses.fields(Parameter)]
    if unknown := sorted(set(fields) - set(keys)):
        raise InputError(f"{name}: {', '.join(unknown)}: expected one of {', '.join(keys)}")
    try:
        return Parameter(**{"when": former.when if former else {}, **fields})
    except (InputError, TypeError, ValueError) as error:
        raise InputError(f"{name}: {error}") from None


def _draw(parameter: Parameter, draw: random.Random) -> Any:
    if parameter.choice:
        return draw.choice(parameter.choice)
    if not parameter.log:
        return draw.uniform(*parameter.bounds)
    return math.exp(draw.uniform(*map(math.log, parameter.bounds)))


def _declare(hp: Any, name: str, parameter: Parameter) -> Any:
    kind = _FIELDS[name].type
    if parameter.choice:
        # KerasTuner wants values of one type, and strings or numbers.
        values = [float(value) if kind is float else value for value in parameter.choice]
        return hp.Fixed(name, values[0]) if parameter.fixed else hp.Choice(name, values)
    declare = hp.Int if kind is int else hp.Float
    return declare(name, *parameter.bounds, sampling="log" if parameter.log else "linear")


def _typed(name: str, value: Any) -> Any:
    """Rounds numbers, and undoes what KerasTuner makes of truth values."""
    kind = _FIELDS[name].type
    if kind is float:
        return float(f"{value:.{_DIGITS}g}")
    if kind is int:
        return round(value)
    return bool(value) if kind is bool else value
