import base64
import re
import xml.etree.ElementTree as ET

import imageio.v3 as imageio
import numpy as np
import pytest

from dcgan import images
from dcgan.report import charts, search_charts, style

ROWS = [{"epoch": 1.0, "loss": 2.0, "nothing": None}, {"epoch": 2.0, "loss": None, "kid": 0.5}]
TRIALS = [
    {"minutes": 1.0, "score": 9.0, "failed": False, "epochs": 1, "positions": {"width": 0.5}},
    {"minutes": 2.0, "score": 99.0, "failed": True, "epochs": 0, "positions": {"width": 0.2}},
    {"minutes": 3.0, "score": 1.0, "failed": False, "epochs": 3, "positions": {}},
]
TICKS = [[0.0, 1e-3], [1.0, "a_long,name"]]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sheet_reads_back(channels):
    samples = np.random.default_rng(0).integers(0, 256, (5, 8, 8, channels), np.uint8)
    head, _, body = style.sheet(samples, columns=5).partition(",")
    assert head == "data:image/png;base64"
    read = imageio.imread(base64.b64decode(body))
    np.testing.assert_array_equal(read, images.grid(samples, columns=5))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.curves(ROWS, ["loss", "kid"], label="Loss"),
        lambda: charts.curves(ROWS, ["nothing"], label="nothing", log=True),
        lambda: charts.histograms({"a": np.arange(9.0), "b": np.ones(3)}, label="distance"),
        lambda: charts.histograms({"a": np.ones(9), "b": np.ones(3)}, label="distance"),
        lambda: charts.bars({"a": np.ones(3) / 3, "b": np.eye(3)[0]}, names="xyz", label="share"),
        lambda: charts.bars({"a": np.ones(99)}, names=["long name"] * 99, label="share"),
        lambda: charts.roc({"GAN $x_$$": [[0.0, 0.5, 1.0], [0.1, 0.9, 1.0]]}),
        lambda: charts.reliability({"claimed": [0.1, 0.9], "found": [0.2, 0.8], "mass": [0.5, 0.5]}),
        lambda: search_charts.scores_over_time(TRIALS, label="FID", direction="min", log=True),
        lambda: search_charts.scores_over_time(TRIALS[1:2], label="FID", direction="max", log=True),
        lambda: search_charts.importance({"width": 0.9, "loss": 0.1}),
        lambda: search_charts.parallel_coordinates({"width": TICKS}, [t["positions"] for t in TRIALS]),
        lambda: search_charts.scores_by_value(TRIALS, "width", ticks=TICKS, label="FID", log=True),
    ],
)
def test_a_chart_is_the_same_svg_each_time_with_ids_of_its_own(draw):
    svg = draw()
    assert draw() == svg
    assert ET.fromstring(svg).tag.endswith("svg")
    key = re.search(r'id="([0-9a-f]{8})-', svg)[1]
    ids = set(re.findall(r'\bid="([^"]*)"', svg))
    assert all(name.startswith(key) for name in ids)
    assert set(re.findall(r'(?:href="|url\()#([^")]*)', svg)) <= ids


def test_values_as_readers_want_them():
    assert [search_charts.show(value) for value in ("", 0.12345, 3, "batch")] == [
        *("none", "0.123", "3", "batch")
    ]
