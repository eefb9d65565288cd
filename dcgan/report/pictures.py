"""Images and plots as data URIs, so that a page needs no other file."""

import base64
import io
from typing import Any

import imageio.v3 as imageio
import matplotlib as mpl
import matplotlib.figure
import numpy as np

from dcgan import images

# Without them the same plot would be another file each time.
_STABLE: dict[Any, str] = {"svg.hashsalt": "dcgan"}
_NO_METADATA = {"Date": None, "Creator": None}


def sheet(samples: np.ndarray, *, columns: int | None = None) -> str:
    """Returns samples laid out in rows, as PNG.

    Args:
        samples: Shape (count, height, width, channels), uint8.
        columns: Samples a row. Defaults to a grid as square as can be.

    Returns:
        A data URI.
    """
    return png(images.grid(samples, columns=columns))


def png(image: np.ndarray) -> str:
    """Returns an image as PNG.

    Args:
        image: Shape (height, width) or (height, width, 3), uint8.

    Returns:
        A data URI.
    """
    content = imageio.imwrite("<bytes>", image, extension=".png")
    return _data_uri(content, kind="image/png")


def svg(plot: matplotlib.figure.Figure) -> str:
    """Returns a plot as SVG, the same text for the same plot.

    Args:
        plot: A figure made with `matplotlib.figure.Figure`.

    Returns:
        A data URI.
    """
    content = io.BytesIO()
    with mpl.rc_context(_STABLE):
        plot.savefig(content, format="svg", metadata=_NO_METADATA)
    return _data_uri(content.getvalue(), kind="image/svg+xml")


def _data_uri(content: bytes, *, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
