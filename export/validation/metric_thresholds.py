"""What a model's figures have to be for it to go live."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from dcgan.errors import InputError

_SHOWN = 4
_VALUE = "value"

Figures = Mapping[str, float]
"""Figures by their paths in a report, such as `evaluation.scores.precision`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Bounds on figures, each named by its path in `report.json` or by an end of it that is unique.

    The model card holds the figures: `precision` is `evaluation.scores.precision`, and
    `histogram-matched.worst_auroc` is `detector.summary.histogram-matched.worst_auroc`.

    Args:
        minimum: What figures must reach. Defaults to none.
        maximum: What they must not exceed. Defaults to none.
        maximum_drop: By how much they may be lower than the live version's. Defaults to none.
        maximum_rise: By how much they may be higher than the live version's. Defaults to none.

    Example:
        >>> Thresholds(minimum={"histogram-matched.worst_auroc": 0.9}, maximum={"frechet_distance": 9})
    """

    minimum: Figures = dataclasses.field(default_factory=dict)
    maximum: Figures = dataclasses.field(default_factory=dict)
    maximum_drop: Figures = dataclasses.field(default_factory=dict)
    maximum_rise: Figures = dataclasses.field(default_factory=dict)

    def violations(self, figures: Figures, live: Figures | None) -> list[str]:
        """Returns what speaks against a model, a line each; a figure that is not there does, too.

        Args:
            figures: The model's.
            live: The live version's; None if there is none, so that nothing can have changed.
        """
        found = [*_absolute(self.minimum, figures, sign=1), *_absolute(self.maximum, figures, sign=-1)]
        if live is not None:
            found += _relative(self.maximum_drop, figures, live, sign=1)
            found += _relative(self.maximum_rise, figures, live, sign=-1)
        return found


def parse(option: str, values: list[str] | None) -> dict[str, float]:
    """Reads bounds from the command line.

    Args:
        option: Its name, for errors.
        values: Such as "precision=0.6".

    Raises:
        InputError: If one is something else.
    """
    parsed = {}
    for value in values or []:
        name, equals, text = value.rpartition("=")
        try:
            bound = float(text)
        except ValueError:
            bound = math.nan
        if not (name and equals and math.isfinite(bound)):
            raise InputError(f"{option}: expected METRIC=VALUE. Received: {value!r}")
        parsed[name] = bound
    return parsed


def read_figures(card: Mapping[str, Any]) -> dict[str, float]:
    """Returns the figures that thresholds may name.

    Args:
        card: A model card.

    Returns:
        Every number among its metrics by its path; a score, which has a `value` beside what it was
        measured with, stands under its own name.
    """
    return dict(_flatten("", card.get("metrics") or {}))


def _flatten(path: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _flatten(path if name == _VALUE else f"{path}.{name}".lstrip("."), part)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        yield path, float(value)


def _absolute(bounds: Figures, figures: Figures, *, sign: int) -> Iterator[str]:
    words = "less than the minimum" if sign > 0 else "more than the maximum"
    for name, bound in bounds.items():
        value = _look_up(name, figures)
        if isinstance(value, str):
            yield value
        elif sign * value < sign * bound:
            yield f"{name} {value:.6g} is {words} of {bound:g}"


def _relative(bounds: Figures, figures: Figures, live: Figures, *, sign: int) -> Iterator[str]:
    word = "lower" if sign > 0 else "higher"
    for name, bound in bounds.items():
        value, before = _look_up(name, figures), _look_up(name, live)
        if isinstance(value, str):
            yield value
        elif isinstance(before, str):
            yield f"{before} in the live version"
        elif sign * (before - value) > bound:
            difference = abs(before - value)
            yield (
                f"{name} {value:.6g} is {difference:.6g} {word} than the live version's {before:.6g}, "
                f"more than {bound:g}"
            )


def _look_up(name: str, figures: Figures) -> float | str:
    """Returns a figure, or why there is none."""
    if name in figures:
        return figures[name]
    paths = [path for path in figures if path.endswith(f".{name}")]
    if not paths:
        return f"there is no figure {name}"
    if len(paths) > 1:
        return f"{name} may be any of {len(paths)} figures: {', '.join(paths[:_SHOWN])}"
    return figures[paths[0]]
