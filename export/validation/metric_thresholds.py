"""Thresholds that a model's metrics must meet before it goes live."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from dcgan.errors import InputError

_SHOWN = 4
_VALUE = "value"

Metrics = Mapping[str, float]
"""Metrics by their paths in a report, such as `evaluation.scores.precision`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Bounds on metrics; refer to a metric by its path in the model card or any unambiguous suffix.

    So `precision` is `evaluation.scores.precision`, and `headline.worst_auroc` is
    `detector.headline.worst_auroc`.

    Args:
        minimum: What metrics must reach. Defaults to none.
        maximum: What they must not exceed. Defaults to none.
        maximum_drop: How much lower than the live version's they may be. Defaults to none.
        maximum_rise: How much higher than the live version's they may be. Defaults to none.

    Example:
        >>> limits = export.Thresholds(minimum={"headline.worst_auroc": 0.9}, maximum={"kid": 0.05})
        >>> limits.minimum
        {'headline.worst_auroc': 0.9}
    """

    minimum: Metrics = dataclasses.field(default_factory=dict)
    maximum: Metrics = dataclasses.field(default_factory=dict)
    maximum_drop: Metrics = dataclasses.field(default_factory=dict)
    maximum_rise: Metrics = dataclasses.field(default_factory=dict)

    def violations(self, metrics: Metrics, live: Metrics | None) -> list[str]:
        """Returns why a model must not go live, a line each; a missing metric is a reason, too.

        Args:
            metrics: The model's metrics.
            live: The live version's metrics; None if there is none, so that nothing can have changed.
        """
        found = [*_absolute(self.minimum, metrics, sign=1), *_absolute(self.maximum, metrics, sign=-1)]
        if live is not None:
            found += _relative(self.maximum_drop, metrics, live, sign=1)
            found += _relative(self.maximum_rise, metrics, live, sign=-1)
        return found


def parse(option: str, values: list[str] | None) -> dict[str, float]:
    """Reads bounds from the command line.

    Args:
        option: The option's name, for errors.
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


def read_metrics(card: Mapping[str, Any]) -> dict[str, float]:
    """Returns the metrics that thresholds may refer to.

    Args:
        card: A model card.

    Returns:
        Every number among the card's metrics by its path. The path of a score's `value` is the
        score's own, without `.value`.
    """
    return dict(_flatten("", card.get("metrics") or {}))


def _flatten(path: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _flatten(path if name == _VALUE else f"{path}.{name}".lstrip("."), part)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        yield path, float(value)


def _absolute(bounds: Metrics, metrics: Metrics, *, sign: int) -> Iterator[str]:
    words = "less than the minimum" if sign > 0 else "more than the maximum"
    for name, bound in bounds.items():
        value = _look_up(name, metrics)
        if isinstance(value, str):
            yield value
        elif sign * value < sign * bound:
            yield f"{name} {value:.6g} is {words} of {bound:g}"


def _relative(bounds: Metrics, metrics: Metrics, live: Metrics, *, sign: int) -> Iterator[str]:
    word = "lower" if sign > 0 else "higher"
    for name, bound in bounds.items():
        value, before = _look_up(name, metrics), _look_up(name, live)
        if isinstance(value, str):
            yield value
        elif isinstance(before, str):
            yield f"{before} in the live version"
        elif sign * (before - value) > bound:
            yield (
                f"{name} {value:.6g} is {abs(before - value):.6g} {word} than the live version's "
                f"{before:.6g}, more than {bound:g}"
            )


def _look_up(name: str, metrics: Metrics) -> float | str:
    """Returns a metric, or why there is none."""
    if name in metrics:
        return metrics[name]
    paths = [path for path in metrics if path.endswith(f".{name}")]
    if not paths:
        return f"there is no metric {name}"
    if len(paths) > 1:
        return f"{name} is ambiguous, one of {len(paths)} metrics: {', '.join(paths[:_SHOWN])}"
    return metrics[paths[0]]
