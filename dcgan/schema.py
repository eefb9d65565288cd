"""One schema for every config: each field declares its default, its values and a line of help, once.

From these declarations come the checks, the docstrings, JSON both ways, the command line's options and
`docs/configuration.md`.
"""

import dataclasses
import inspect
import json
import math
import os
import pathlib
import textwrap
import typing
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from dcgan.errors import InputError
from dcgan.system import files

_RAISES = "InputError: If a value is of the wrong type or out of range."
_INDENT = "    "
_KINDS = {int: "a whole number", float: "a number", str: "a string", bool: "true or false"}


class Rule(NamedTuple):
    """The values that a field takes.

    Attributes:
        text: What follows "expected", such as "0 to 1".
        allows: Whether a value is one of them.
    """

    text: str
    allows: Callable[[Any], bool]


def at_least(low: float, *, below: float = math.inf) -> Rule:
    """Numbers from `low`, optionally only those below a bound; never infinite."""
    text = f"at least {low}" if below == math.inf else f"{low} to below {below}"
    return Rule(text, lambda value: low <= value < below)


def above(low: float, *, below: float = math.inf) -> Rule:
    """Numbers above `low`, optionally only those below a bound; never infinite."""
    text = f"above {low}" if below == math.inf else f"above {low} and below {below}"
    return Rule(text, lambda value: low < value < below)


def between(low: float, high: float) -> Rule:
    """Numbers from `low` to `high`, both included."""
    return Rule(f"{low} to {high}", lambda value: low <= value <= high)


def multiple_of(factor: int, rule: Rule) -> Rule:
    """Whole multiples of `factor` that another rule allows."""
    return Rule(
        f"a multiple of {factor}, {rule.text}",
        lambda value: value % factor == 0 and rule.allows(value),
    )


def one_of(*choices: Any) -> Rule:
    """One of a few values."""
    return Rule(f"one of {', '.join(map(str, choices))}", lambda value: value in choices)


def any_of(*names: str) -> Rule:
    """Any of a few names in one string, joined by commas; or none."""
    return Rule(
        f"any of {', '.join(names)}, joined by commas",
        lambda value: {name.strip() for name in value.split(",") if name.strip()} <= set(names),
    )


def either(name: str, rule: Rule) -> Rule:
    """One name alone, or what another rule allows."""
    return Rule(f"{name}, or {rule.text}", lambda value: value == name or rule.allows(value))


def field(help: str, rule: Rule | None = None, *, default: Any, option: str = "") -> Any:
    """Declares a field of a `Config`.

    Args:
        help: What it is, in a sentence.
        rule: The values that it takes. Defaults to None, all of its type.
        default: Its default.
        option: What errors call it. Defaults to its name.
    """
    return dataclasses.field(default=default, metadata={"help": help, "rule": rule, "option": option})


@typing.dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Config:
    """Base of all configs: subclasses become frozen, keyword-only dataclasses, checked when made."""

    def __init_subclass__(cls) -> None:
        """Makes the subclass a dataclass and completes its docstring; an example stays at its end."""
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        text, heading, example = inspect.cleandoc(cls.__doc__ or "").partition("\n\nExample:\n")
        generated = f"\n\nArgs:\n{_arguments(cls)}\n\nRaises:\n    {_RAISES}"
        cls.__doc__ = f"{text}{generated}{heading}{example}\n"

    def __post_init__(self) -> None:
        """Checks every value; whole numbers may stand for floats."""
        for declared in fields(type(self)):
            value = getattr(self, declared.name)
            if float in kinds(declared) and type(value) is int:
                value = float(value)
                object.__setattr__(self, declared.name, value)
            _check(declared, value)

    def to_dict(self) -> dict[str, Any]:
        """Returns the values by name, those of nested configs as dictionaries of their own."""
        return dataclasses.asdict(self)  # type: ignore[call-overload]

    def flatten(self) -> dict[str, Any]:
        """Returns the values by name, those of nested configs as "network.dropout"."""
        flat: dict[str, Any] = {}
        for declared in fields(type(self)):
            value = getattr(self, declared.name)
            nested = value.flatten() if isinstance(value, Config) else {"": value}
            flat |= {f"{declared.name}.{name}".rstrip("."): entry for name, entry in nested.items()}
        return flat

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Builds a config from plain values, nested ones from nested dictionaries.

        Args:
            values: Values by name; the others take their defaults.

        Raises:
            InputError: If a name is unknown or a value is of the wrong type or out of range.
        """
        declared = {entry.name: entry for entry in fields(cls)}
        if unknown := sorted(set(values) - set(declared)):
            raise InputError(f"{', '.join(unknown)}: expected one of {', '.join(declared)}")
        return cls(**{name: _nested(declared[name].type, value) for name, value in values.items()})

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, own: bool = False) -> Self:
        """Reads a JSON file that `save` wrote; values left out take their defaults.

        Args:
            path: The file.
            own: Whether `save` must have written it in this version, with exactly this version's names.
                Defaults to False.

        Raises:
            InputError: If the file cannot be read or is not a JSON object, or as for `from_dict`.
        """
        try:
            values = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise InputError(f"{path}: expected JSON, found {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: expected a config file ({error})") from None
        if not isinstance(values, dict):
            raise InputError(f"{path}: expected a JSON object")
        if own and (strange := _names(values) ^ set(cls().flatten())):
            raise InputError(
                f"{path}: expected a run of this version of dcgan, and this one differs in "
                f"{', '.join(sorted(strange))}; train it anew"
            )
        try:
            return cls.from_dict(values)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the config to a JSON file, atomically."""
        files.write_text(path, json.dumps(self.to_dict(), indent=2) + "\n")


def _names(values: dict[str, Any]) -> set[str]:
    """Returns the names of plain values, those of nested ones as "network.dropout"."""
    names: set[str] = set()
    for name, value in values.items():
        nested = _names(value) if isinstance(value, dict) else {""}
        names |= {f"{name}.{each}".rstrip(".") for each in nested}
    return names


def fields(config: type[Config]) -> tuple[dataclasses.Field[Any], ...]:
    """Returns a config's fields in the order of their declaration."""
    return dataclasses.fields(config)  # type: ignore[arg-type]


def kinds(declared: dataclasses.Field[Any]) -> tuple[Any, ...]:
    """Returns the types that a field's values may have."""
    return typing.get_args(declared.type) or (declared.type,)


def describe(config: type[Config], name: str) -> str:
    """Returns a field's help with the values that it takes, for the command line."""
    (declared,) = (entry for entry in fields(config) if entry.name == name)
    help, rule = declared.metadata["help"], declared.metadata["rule"]
    return f"{help} {rule.text[0].upper()}{rule.text[1:]}." if rule else str(help)


def _check(declared: dataclasses.Field[Any], value: Any) -> None:
    allowed, rule = kinds(declared), declared.metadata["rule"]
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        expected = _KINDS.get(allowed[0], "an object of values")
    elif value is None or rule is None or rule.allows(value):
        return
    else:
        expected = rule.text
    name = declared.metadata["option"] or declared.name
    raise InputError(f"{name}: expected {expected}. Received: {value!r}")


def _nested(kind: Any, value: Any) -> Any:
    is_config = isinstance(kind, type) and issubclass(kind, Config)
    return kind.from_dict(value) if is_config and isinstance(value, dict) else value


def _arguments(config: type[Config]) -> str:
    lines = []
    for declared in fields(config):
        text = describe(config, declared.name)
        if not isinstance(declared.default, Config):
            text += f" Defaults to {declared.default!r}."
        text = f"{declared.name}: {text}"
        lines.append(textwrap.fill(text, 100, initial_indent=_INDENT, subsequent_indent=2 * _INDENT))
    return "\n".join(lines)
