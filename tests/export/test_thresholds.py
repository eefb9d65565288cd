import pytest

from dcgan.errors import InputError
from export.validation import metric_thresholds
from export.validation.metric_thresholds import Thresholds

CARD = {
    "metrics": {
        "last_epoch": {"d_loss": 1.5},
        "evaluation": {
            "notes": ["a text"],
            "scores": {"precision": {"value": 0.7, "floor": 0.8, "scorer": "mnist", "spread": None}},
        },
        "detector": {
            "summary": {
                "clean": {"worst_auroc": 0.99, "worst": "VAE"},
                "histogram-matched, jpeg 75": {"worst_auroc": 0.9},
            },
            "roc": {"VAE": [[0.0, 1.0], [0.0, 1.0]]},
            "is_odd": True,
            "nothing": float("nan"),
        },
    }
}
METRICS = {
    "last_epoch.d_loss": 1.5,
    "evaluation.scores.precision": 0.7,
    "evaluation.scores.precision.floor": 0.8,
    "detector.summary.clean.worst_auroc": 0.99,
    "detector.summary.histogram-matched, jpeg 75.worst_auroc": 0.9,
}


def test_metrics_of_a_card():
    assert metric_thresholds.read_metrics(CARD) == METRICS
    assert metric_thresholds.read_metrics({}) == metric_thresholds.read_metrics({"metrics": None}) == {}


@pytest.mark.parametrize(
    ("bounds", "reasons"),
    [
        ({"minimum": {"precision": 0.7}, "maximum": {"d_loss": 1.5}}, []),
        ({"minimum": {"precision": 0.71}}, ["precision 0.7 is less than the minimum of 0.71"]),
        ({"maximum": {"d_loss": 1.4}}, ["d_loss 1.5 is more than the maximum of 1.4"]),
        ({"minimum": {"histogram-matched, jpeg 75.worst_auroc": 0.9, "clean.worst_auroc": 0.99}}, []),
        ({"minimum": {"recall": 0.1}}, ["there is no metric recall"]),
        ({"minimum": {"cision": 0.1}}, ["there is no metric cision"]),
        (
            {"maximum": {"worst_auroc": 1}},
            [
                "worst_auroc is ambiguous, one of 2 metrics: detector.summary.clean.worst_auroc, "
                "detector.summary.histogram-matched, jpeg 75.worst_auroc"
            ],
        ),
    ],
)
def test_absolute_bounds(bounds, reasons):
    assert Thresholds(**bounds).violations(METRICS, None) == reasons


def test_changes_against_the_live_version():
    live = {"evaluation.scores.precision": 0.75, "last_epoch.d_loss": 1.0}
    limits = Thresholds(maximum_drop={"precision": 0.06}, maximum_rise={"d_loss": 0.5})
    assert limits.violations(METRICS, live) == []
    limits = Thresholds(maximum_drop={"precision": 0.04}, maximum_rise={"d_loss": 0.4})
    assert limits.violations(METRICS, live) == [
        "precision 0.7 is 0.05 lower than the live version's 0.75, more than 0.04",
        "d_loss 1.5 is 0.5 higher than the live version's 1, more than 0.4",
    ]
    better = {"evaluation.scores.precision": 0.1, "last_epoch.d_loss": 9.0}
    assert limits.violations(METRICS, better) == []
    assert limits.violations(METRICS, {}) == [
        "there is no metric precision in the live version",
        "there is no metric d_loss in the live version",
    ]
    assert limits.violations(METRICS, None) == []


def test_options():
    assert metric_thresholds.parse("--minimum", None) == {}
    given = ["precision=0.6", "a=b.c=-1e-3"]
    assert metric_thresholds.parse("--minimum", given) == {"precision": 0.6, "a=b.c": -0.001}
    for wrong in ("precision", "=1", "precision=", "precision=high", "precision=nan"):
        with pytest.raises(InputError, match=f"^--minimum: expected METRIC=VALUE. Received: '{wrong}'$"):
            metric_thresholds.parse("--minimum", [wrong])
