"""How every chart and picture of a report looks, and how it gets into the page."""

import base64
import functools
import hashlib
import io
import re
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec

import cycler
import imageio.v3 as imageio
import markupsafe
import matplotlib as mpl
import matplotlib.axes
import matplotlib.figure
import matplotlib.ticker
import numpy as np

from dcgan import images

BLUE, ORANGE, GREY = "#1f6feb", "#d1570b", "#9aa5b1"

_STYLE: dict[Any, Any] = {
    "figure.constrained_layout.use": True,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.prop_cycle": cycler.cycler(color=[BLUE, ORANGE, "#2f8f4e", "#8250df", "#c2255c", "#0b7285"]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": "#e3e7eb",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    # A name may hold dollar signs.
    "text.parse_math": False,
    # Without it the same chart would be another text each time.
    "svg.hashsalt": "dcgan",
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
# A logarithmic axis pays when the largest value is at least so many times the smallest.
_WIDE = 5
_P = ParamSpec("_P")


def chart(draw: Callable[_P, matplotlib.figure.Figure]) -> Callable[_P, markupsafe.Markup]:
    """Makes a function that draws a plot return it in the project's style, as inline SVG."""

    @functools.wraps(draw)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> markupsafe.Markup:
        with mpl.rc_context(_STYLE):
            return _to_svg(draw(*args, **kwargs))

    return drawn


def axes(
    x_label: str, y_label: str, *, width: float = 5.4, height: float = 3.2
) -> tuple[matplotlib.figure.Figure, matplotlib.axes.Axes]:
    """Makes an empty plot, without pyplot, whose state all threads share.

    Args:
        x_label: What the horizontal axis shows.
        y_label: What the vertical axis shows.
        width: In inches. Defaults to 5.4.
        height: In inches. Defaults to 3.2.
    """
    plot = matplotlib.figure.Figure(figsize=(width, height))
    return plot, plot.add_subplot(xlabel=x_label, ylabel=y_label)


def log_axis(axis: matplotlib.axes.Axes, values: Sequence[float]) -> None:
    """Makes the vertical axis logarithmic, with plain numbers, if the values are far enough apart."""
    if len(values) and max(values) > _WIDE * min(values) > 0:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(matplotlib.ticker.LogLocator(10, (1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())


def sheet(samples: np.ndarray, *, columns: int | None = None) -> str:
    """Lays images out in rows.

    Args:
        samples: Shape (count, height, width, channels), uint8.
        columns: Images per row. Defaults to a grid as square as possible.

    Returns:
        A PNG as a data URI.
    """
    content = imageio.imwrite("<bytes>", images.grid(samples, columns=columns), extension=".png")
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"


def _to_svg(plot: matplotlib.figure.Figure) -> markupsafe.Markup:
    content = io.StringIO()
    plot.savefig(content, format="svg", metadata=_NO_METADATA)
    text = content.getvalue()
    text = text[text.index("<svg") :]
    # All charts share one page, in which an id must be unique.
    key = hashlib.sha256(text.encode()).hexdigest()[:8]
    return markupsafe.Markup(re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{key}-", text))
