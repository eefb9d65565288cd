"""Pictures of a detector's evaluation."""

from typing import Any

from matplotlib.figure import Figure

_SIZE = (5.0, 4.0)


def roc(curves: dict[str, list[list[float]]]) -> Figure:
    """Draws ROC curves over a logarithmic axis of false positives.

    Args:
        curves: By generator, false positive rates and shares found.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    for name, (false_positives, found) in curves.items():
        axes.plot([max(rate, 1e-4) for rate in false_positives], found, label=name)
    axes.set(
        xscale="log",
        xlim=(1e-3, 1),
        ylim=(0, 1.01),
        xlabel="reals called fake",
        ylabel="fakes found",
        title="Histogram-matched fakes of unseen generators",
    )
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize="small")
    return figure


def reliability(diagram: dict[str, Any]) -> Figure:
    """Draws claimed against true shares of fakes, the area of a dot its share of images.

    Args:
        diagram: `claimed`, `found` and `mass` by bin, and `ece`.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], "--", color="grey", linewidth=1)
    axes.scatter(
        diagram["claimed"],
        diagram["found"],
        s=[20 + 400 * mass for mass in diagram["mass"]],
        alpha=0.7,
    )
    axes.set(
        xlim=(-0.03, 1.03),
        ylim=(-0.03, 1.03),
        xlabel="p_fake",
        ylabel="share of fakes",
        title=f"Expected calibration error {diagram['ece']:.3f}",
    )
    axes.grid(alpha=0.3)
    return figure
