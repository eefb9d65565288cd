"""Charts of runs and detectors, as inline SVG; templates call them on stored data."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.figure
import matplotlib.ticker
import numpy as np

from dcgan.report import style

_BINS = 40
_MOST_MARKERS = 40
_MOST_CLASS_NAMES = 20
_LOWEST_RATE = 1e-3


@style.chart
def curves(
    rows: Sequence[Mapping[str, float | None]], names: Sequence[str], *, label: str, log: bool = False
) -> matplotlib.figure.Figure:
    """Plots logged values over the epochs.

    Args:
        rows: One per epoch, as in `metrics.csv`; values may be missing or None.
        names: The values to plot.
        label: What the vertical axis shows.
        log: Whether that axis is logarithmic if the values are far apart. Defaults to False.
    """
    plot, axes = style.axes("epoch", label)
    shown = []
    for name in names:
        points = [(row["epoch"], row[name]) for row in rows if row.get(name) is not None]
        epochs, values = np.array(points, float).reshape(-1, 2).T
        shown += values.tolist()
        axes.plot(epochs, values, label=name, marker="o" if len(points) <= _MOST_MARKERS else "", ms=3)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    if log:
        style.log_axis(axes, shown)
    if len(names) > 1:
        axes.legend()
    return plot


@style.chart
def histograms(values: Mapping[str, np.ndarray], *, label: str) -> matplotlib.figure.Figure:
    """Plots how values are distributed, several sets on the same axis.

    Args:
        values: Arrays of shape (count,) by name.
        label: What the values are.
    """
    plot, axes = style.axes(label, "share of images")
    bins = np.histogram_bin_edges(np.concatenate(list(values.values())), _BINS).tolist()
    for name, column in values.items():
        axes.hist(column, bins, weights=np.full(len(column), 1 / len(column)), alpha=0.5, label=name)
    axes.legend()
    return plot


@style.chart
def bars(
    values: Mapping[str, Sequence[float]], *, names: Sequence[str], label: str
) -> matplotlib.figure.Figure:
    """Plots shares by class, several sets side by side.

    Args:
        values: One share per class, by name of the set.
        names: The classes.
        label: What the values are.
    """
    plot, axes = style.axes("class", label)
    places = np.arange(len(names))
    width = 0.8 / len(values)
    for index, (name, column) in enumerate(values.items()):
        axes.bar(places + index * width, column, width, label=name)
    if len(names) <= _MOST_CLASS_NAMES:
        crowded = sum(map(len, names)) > 3 * _MOST_CLASS_NAMES
        axes.set_xticks(places + 0.4 - width / 2, names, rotation=90 if crowded else 0)
    axes.legend(ncols=len(values), loc="lower left", bbox_to_anchor=(0, 1))
    return plot


@style.chart
def roc(rates: Mapping[str, Sequence[Sequence[float]]]) -> matplotlib.figure.Figure:
    """Plots ROC curves over a logarithmic axis of false positives.

    Args:
        rates: False positive rates and true positive rates by generator.
    """
    plot, axes = style.axes("false positive rate", "share of fakes found", height=4)
    for name, (false_positives, found) in rates.items():
        axes.plot(np.maximum(false_positives, _LOWEST_RATE / 10), found, label=name)
    axes.set(xscale="log", xlim=(_LOWEST_RATE, 1), ylim=(0, 1.01))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.legend(loc="lower right", fontsize="small")
    return plot


@style.chart
def reliability(diagram: Mapping[str, Any]) -> matplotlib.figure.Figure:
    """Plots true shares of fakes against `p_fake`; the area of a dot is its share of images.

    Args:
        diagram: `claimed`, `found` and `mass`, one value per bin each.
    """
    plot, axes = style.axes("p_fake", "share of fakes", height=4)
    axes.plot([0, 1], [0, 1], "--", color=style.GREY, linewidth=1)
    areas = 20 + 400 * np.asarray(diagram["mass"])
    axes.scatter(diagram["claimed"], diagram["found"], s=areas, color=style.BLUE, alpha=0.7)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    return plot
