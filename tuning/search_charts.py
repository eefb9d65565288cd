"""Plots of a search, drawn without pyplot, whose state all threads share."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.axes
import matplotlib.figure
import matplotlib.ticker
import numpy as np

from dcgan.report import pictures
from tuning import importance
from tuning.space import Space
from tuning.trial_records import TrialRecord

_BLUE, _ORANGE, _GREY = "#1f6feb", "#d1570b", "#9aa5b1"
_MAP = mpl.colormaps["viridis_r"]
_SIZE = (6.4, 3.6)
_MOST_TICKS = 6
# How many times the least the greatest value must be for a logarithmic axis.
_WIDE = 5


def progress(records: Sequence[TrialRecord], *, label: str, direction: str, log: bool) -> str:
    """Plots every trial's score and the best so far against the search's time.

    Args:
        records: All trials, in the order of their ends.
        label: What the score is.
        direction: "min" or "max".
        log: Whether scores are on a logarithmic axis.

    Returns:
        A data URI.
    """
    plot, axes = _plot("minutes of the search", label)
    well = [record for record in records if not record.failed]
    failed = [record for record in records if record.failed]
    minutes = [record.elapsed / 60 for record in well]
    scores = [record.score for record in well]
    better = min if direction == "min" else max
    axes.step(minutes, list(itertools.accumulate(scores, better)), where="post", color=_ORANGE)
    axes.scatter(minutes, scores, s=18, color=_BLUE, zorder=3, label="trials")
    axes.plot([], [], color=_ORANGE, label="best so far")
    if failed:
        low, high = axes.get_ylim()
        at = [low if direction == "max" else high] * len(failed)
        times = [record.elapsed / 60 for record in failed]
        axes.scatter(times, at, marker="x", color=_GREY, clip_on=False, label="failed")
    if log:
        _log(axes, scores)
    axes.set_xlim(left=0)
    axes.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return pictures.svg(plot)


def shares(values: Mapping[str, float]) -> str:
    """Plots importances as bars, the largest on top.

    Args:
        values: Shares by name, the largest first.

    Returns:
        A data URI.
    """
    plot, axes = _plot("share of what decides", "", height=0.6 + 0.28 * len(values))
    names = list(values)[::-1]
    axes.barh(names, [values[name] for name in names], color=_BLUE)
    axes.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1, decimals=0))
    axes.grid(visible=False, axis="y")
    return pictures.svg(plot)


def parallel(ranked: Sequence[TrialRecord], space: Space, names: Sequence[str], *, label: str) -> str:
    """Plots trials as lines over one axis for each hyper-parameter, coloured by their rank.

    Args:
        ranked: The trials, best first.
        space: What was searched.
        names: The hyper-parameters to show, from the left.
        label: What the colour shows.

    Returns:
        A data URI.
    """
    plot, axes = _plot("", "", width=max(_SIZE[0], 1.05 * len(names) + 1.5), height=4.2)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    worst = max(1, len(ranked) - 1)
    for place, record in reversed(list(enumerate(ranked))):
        heights = [_height(record, name, space) for name in names]
        best = place == 0
        axes.plot(
            heights,
            color=_ORANGE if best else _MAP(1 - place / worst),
            linewidth=2.6 if best else 1.1,
            alpha=1 if best else 0.65,
            zorder=3 if best else 2,
        )
    for column, name in enumerate(names):
        axes.axvline(column, color="#5b6875", linewidth=0.8, zorder=1)
        for height, text in _ticks(space, name):
            axes.annotate(
                text,
                (column, height),
                (4, 0),
                textcoords="offset points",
                fontsize=7.5,
                va="center",
                bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75},
                zorder=4,
            )
    axes.set_xticks(range(len(names)), [name.replace("_", "\n") for name in names], fontsize=8)
    axes.set_yticks([])
    axes.set_ylim(-0.14, 1.06)
    colors = mpl.cm.ScalarMappable(mpl.colors.Normalize(1, worst + 1), mpl.colormaps["viridis"])
    bar = plot.colorbar(colors, ax=axes, pad=0.02, aspect=30, label=label)
    bar.ax.invert_yaxis()
    bar.ax.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    return pictures.svg(plot)


def scatter(records: Sequence[TrialRecord], space: Space, name: str, *, label: str, log: bool) -> str:
    """Plots scores against one hyper-parameter's values.

    Args:
        records: Trials that did not fail.
        space: What was searched.
        name: The hyper-parameter.
        label: What the score is.
        log: Whether scores are on a logarithmic axis.

    Returns:
        A data URI.
    """
    plot, axes = _plot(name, label, width=4.6, height=3)
    shown = [record for record in records if name in record.values]
    places = [importance.position(space, name, record.values[name]) for record in shown]
    epochs = [record.epochs for record in shown]
    scores = [record.score for record in shown]
    points = axes.scatter(places, scores, c=epochs, cmap="viridis_r", s=22)
    if log:
        _log(axes, scores)
    ticks = _ticks(space, name)
    axes.set_xticks([at for at, _ in ticks], [text for _, text in ticks])
    plot.colorbar(points, ax=axes, label="epochs")
    return pictures.svg(plot)


def show(value: Any) -> str:
    """Returns a hyper-parameter's value as a reader wants it."""
    if value == "":
        return "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _log(axes: matplotlib.axes.Axes, values: Sequence[float]) -> None:
    """Makes the vertical axis logarithmic where its values are far enough apart, with plain numbers."""
    if values and max(values) > _WIDE * min(values) > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(10, (1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())


def _height(record: TrialRecord, name: str, space: Space) -> float:
    """Where a trial's line crosses an axis: below it where the hyper-parameter does not matter."""
    return importance.position(space, name, record.values[name]) if name in record.values else -0.1


def _ticks(space: Space, name: str) -> list[tuple[float, str]]:
    parameter = space.parameters[name]
    if parameter.choice:
        values: Sequence[Any] = parameter.choice
    elif parameter.log:
        values = np.geomspace(*parameter.bounds, 4).tolist()
    else:
        values = np.linspace(*parameter.bounds, 4).tolist()
    chosen = values if len(values) <= _MOST_TICKS else [values[0], values[-1]]
    return [(importance.position(space, name, value), _short(value)) for value in chosen]


def _short(value: Any) -> str:
    """Returns a tick's label, a long one on several lines."""
    text = f"{value:.2g}" if isinstance(value, float) else show(value)
    return text.replace("_", "_\n").replace(",", ",\n")


def _plot(
    x_label: str, y_label: str, *, width: float = _SIZE[0], height: float = _SIZE[1]
) -> tuple[matplotlib.figure.Figure, matplotlib.axes.Axes]:
    plot = matplotlib.figure.Figure(figsize=(width, height), layout="constrained")
    axes = plot.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(color="#e3e7eb", linewidth=0.6)
    axes.set_axisbelow(True)
    return plot, axes
