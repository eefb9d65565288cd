import base64

import imageio.v3 as imageio
import numpy as np
import pytest

from dcgan import images
from dcgan.report import charts, pictures

ROWS = [{"epoch": 1.0, "loss": 2.0}, {"epoch": 2.0, "loss": float("nan"), "kid": 0.5}]


def _content(uri, kind):
    head, _, body = uri.partition(",")
    assert head == f"data:{kind};base64"
    return base64.b64decode(body)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sheet_reads_back(channels):
    samples = np.random.default_rng(0).integers(0, 256, (5, 8, 8, channels), np.uint8)
    read = imageio.imread(_content(pictures.sheet(samples, columns=5), "image/png"))
    np.testing.assert_array_equal(read, images.grid(samples, columns=5))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.curves(ROWS, ["loss", "kid"], label="Loss"),
        lambda: charts.curves(ROWS, ["kid"], label="KID", log=True),
        lambda: charts.histograms({"a": np.arange(9.0), "b": np.ones(3)}, label="distance"),
        lambda: charts.histograms({"a": np.ones(9), "b": np.ones(3)}, label="distance"),
        lambda: charts.bars({"a": np.ones(3) / 3, "b": np.eye(3)[0]}, names="xyz", label="share"),
        lambda: charts.bars({"a": np.ones(99)}, names=["long name"] * 99, label="share"),
    ],
)
def test_a_plot_is_the_same_svg_each_time(draw):
    svg = _content(draw(), "image/svg+xml")
    assert b"<svg" in svg
    assert _content(draw(), "image/svg+xml") == svg
