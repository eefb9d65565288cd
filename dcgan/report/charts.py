"""Plots of a run's figures, drawn without pyplot, whose state all threads share."""

from collections.abc import Mapping, Sequence

import matplotlib.axes
import matplotlib.figure
import matplotlib.ticker
import numpy as np

from dcgan.report import pictures

_COLORS = ("#1f6feb", "#d1570b", "#2f8f4e", "#8250df")
_SIZE = (5.4, 3.2)
_BINS = 40
_MOST_CLASS_NAMES = 20


def curves(
    rows: Sequence[Mapping[str, float]], names: Sequence[str], *, label: str, log: bool = False
) -> str:
    """Plots logged values over the epochs.

    Args:
        rows: An epoch each, as in `metrics.csv`; a name may be missing from some.
        names: The names to plot.
        label: What the vertical axis shows.
        log: Whether that axis is logarithmic. Defaults to False.

    Returns:
        A data URI.
    """
    plot, axes = _plot("epoch", label)
    for name, color in zip(names, _colors(len(names)), strict=True):
        points = [(row["epoch"], row[name]) for row in rows if name in row]
        marker = "o" if len(points) <= _BINS else ""
        axes.plot(*zip(*points, strict=True), color=color, label=name, marker=marker, markersize=3)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(matplotlib.ticker.LogFormatter(labelOnlyBase=False))
    axes.legend(frameon=False)
    return pictures.svg(plot)


def histograms(values: Mapping[str, np.ndarray], *, label: str) -> str:
    """Plots how values are distributed, several sets on the same axis.

    Args:
        values: Arrays of shape (count,) by name.
        label: What the values are.

    Returns:
        A data URI.
    """
    plot, axes = _plot(label, "share of images")
    everything = np.concatenate(list(values.values()))
    bins = np.histogram_bin_edges(everything, _BINS).tolist()
    for (name, column), color in zip(values.items(), _colors(len(values)), strict=True):
        weights = np.full(len(column), 1 / len(column))
        axes.hist(column, bins, weights=weights, color=color, alpha=0.5, label=name)
    axes.legend(frameon=False)
    return pictures.svg(plot)


def bars(values: Mapping[str, np.ndarray], *, names: Sequence[str], label: str) -> str:
    """Plots shares by class, several sets side by side.

    Args:
        values: Arrays of shape (classes,) by name.
        names: The classes.
        label: What the values are.

    Returns:
        A data URI.
    """
    plot, axes = _plot("class", label)
    places = np.arange(len(names))
    width = 0.8 / len(values)
    for index, (name, column) in enumerate(values.items()):
        axes.bar(places + index * width, column, width, color=_COLORS[index], label=name)
    if len(names) <= _MOST_CLASS_NAMES:
        crowded = sum(map(len, names)) > 3 * _MOST_CLASS_NAMES
        axes.set_xticks(places + 0.4 - width / 2, names, rotation=90 if crowded else 0)
    axes.legend(frameon=False, ncols=len(values), loc="lower left", bbox_to_anchor=(0, 1))
    return pictures.svg(plot)


def _plot(x_label: str, y_label: str) -> tuple[matplotlib.figure.Figure, matplotlib.axes.Axes]:
    plot = matplotlib.figure.Figure(figsize=_SIZE, layout="constrained")
    axes = plot.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(color="#e3e7eb", linewidth=0.6)
    axes.set_axisbelow(True)
    return plot, axes


def _colors(count: int) -> list[str]:
    return [_COLORS[index % len(_COLORS)] for index in range(count)]
