"""Charts of a search for hyper-parameters, as inline SVG; templates call them on stored data."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.figure
import matplotlib.ticker
import numpy as np

from dcgan.report import style

Ticks = Sequence[tuple[float, Any]]
"""Positions on an axis from 0 to 1, and the values there."""

# A line crosses here the axis of a hyper-parameter that does not matter to it.
_BELOW = -0.1
_MOST_TICKS = 6


@style.chart
def scores_over_time(
    trials: Sequence[Mapping[str, Any]], *, label: str, direction: str, log: bool
) -> matplotlib.figure.Figure:
    """Plots every trial's score, and the best so far, against the search's time.

    Args:
        trials: Each with `minutes`, `score` and `failed`, in the order in which they ended.
        label: What the score is.
        direction: "min" or "max".
        log: Whether the scores' axis is logarithmic if they are far apart.
    """
    plot, axes = style.axes("minutes of the search", label, width=6.4, height=3.6)
    well = [(trial["minutes"], trial["score"]) for trial in trials if not trial["failed"]]
    minutes, scores = zip(*well, strict=True) if well else ((), ())
    best = list(itertools.accumulate(scores, min if direction == "min" else max))
    axes.scatter(minutes, scores, s=18, color=style.BLUE, zorder=3, label="trials")
    axes.step(minutes, best, where="post", color=style.ORANGE, label="best so far")
    failed = [trial["minutes"] for trial in trials if trial["failed"]]
    if failed:
        worst = axes.get_ylim()[direction == "min"]
        at = [worst] * len(failed)
        axes.scatter(failed, at, marker="x", color=style.GREY, clip_on=False, label="failed")
    if log:
        style.log_axis(axes, scores)
    axes.set_xlim(left=0)
    axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return plot


@style.chart
def importance(shares: Mapping[str, float]) -> matplotlib.figure.Figure:
    """Plots shares as bars, the largest on top.

    Args:
        shares: By name, the largest first.
    """
    plot, axes = style.axes("importance", "", width=6.4, height=0.8 + 0.28 * len(shares))
    axes.barh(list(shares)[::-1], list(shares.values())[::-1], color=style.BLUE)
    axes.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1, decimals=0))
    axes.grid(visible=False, axis="y")
    return plot


@style.chart
def parallel_coordinates(
    axes_ticks: Mapping[str, Ticks], lines: Sequence[Mapping[str, float]]
) -> matplotlib.figure.Figure:
    """Plots configurations as lines over one axis per hyper-parameter, coloured by rank.

    Args:
        axes_ticks: The ticks of each axis by hyper-parameter, from the left.
        lines: Positions by hyper-parameter, the best configuration first; those that do not matter
            are missing.
    """
    plot, axes = style.axes("", "", width=max(6.4, 1.05 * len(axes_ticks) + 1.5), height=4.2)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    ranks = mpl.cm.ScalarMappable(mpl.colors.Normalize(1, max(2, len(lines))), "viridis")
    for rank, line in reversed(list(enumerate(lines, 1))):
        look: dict[str, Any] = {"color": ranks.to_rgba(np.array(rank)), "linewidth": 1.1, "alpha": 0.65}
        if rank == 1:
            look = {"color": style.ORANGE, "linewidth": 2.6, "zorder": 3}
        axes.plot([line.get(name, _BELOW) for name in axes_ticks], **look)
    for column, ticks in enumerate(axes_ticks.values()):
        axes.axvline(column, color="#5b6875", linewidth=0.8, zorder=1)
        for height, text in _labels(ticks):
            box = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75}
            axes.text(column + 0.05, height, text, fontsize=7.5, va="center", bbox=box, zorder=4)
    names = [name.replace("_", "\n") for name in axes_ticks]
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set(yticks=[], ylim=(-0.14, 1.06))
    bar = plot.colorbar(ranks, ax=axes, pad=0.02, aspect=30, label="rank")
    bar.ax.invert_yaxis()
    bar.ax.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    return plot


@style.chart
def scores_by_value(
    trials: Sequence[Mapping[str, Any]], name: str, *, ticks: Ticks, label: str, log: bool
) -> matplotlib.figure.Figure:
    """Plots scores against the values of one hyper-parameter.

    Args:
        trials: Each with `positions`, `epochs`, `score` and `failed`; failed ones are left out.
        name: The hyper-parameter.
        ticks: Those of its axis.
        label: What the score is.
        log: Whether the scores' axis is logarithmic if they are far apart.
    """
    plot, axes = style.axes(name, label, width=4.6, height=3)
    shown = [trial for trial in trials if name in trial["positions"] and not trial["failed"]]
    places = [trial["positions"][name] for trial in shown]
    scores = [trial["score"] for trial in shown]
    epochs = [trial["epochs"] for trial in shown]
    points = axes.scatter(places, scores, c=epochs, cmap="viridis_r", s=22)
    if log:
        style.log_axis(axes, scores)
    labels = _labels(ticks)
    axes.set_xticks([at for at, _ in labels], [text for _, text in labels])
    plot.colorbar(points, ax=axes, label="epochs")
    return plot


def show(value: Any) -> str:
    """Returns a hyper-parameter's value as readers want it."""
    if value == "":
        return "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _labels(ticks: Ticks) -> list[tuple[float, str]]:
    """Breaks long labels into several lines; of too many ticks only the ends stay."""
    chosen = ticks if len(ticks) <= _MOST_TICKS else (ticks[0], ticks[-1])
    return [(at, show(value).replace("_", "_\n").replace(",", ",\n")) for at, value in chosen]
