import json

import numpy as np
import pytest

from dcgan.detector.evaluation import (
    conditions,
    detection_metrics,
    detector_report,
    holdout_evaluation,
)
from dcgan.report import publish
from dcgan.runs.run_directory import RunDirectory


@pytest.fixture(scope="module")
def report(fitted, reals, spoiled):
    fakes = {"checks": spoiled(60, "checks", 31), "stripes": spoiled(50, "stripes", 32)}
    return holdout_evaluation.evaluate(
        fitted.detector,
        reals.test,
        fakes,
        baselines={"mean": lambda images: images.mean(axis=(1, 2, 3))},
        folds=fitted.folds,
    )


def test_every_condition_generator_and_metric(report):
    names = ["clean", "histogram-matched", "histogram-matched one by one"]
    names += ["histogram-matched, jpeg 95", "histogram-matched, jpeg 75", "histogram-matched, jpeg 50"]
    names += [
        "histogram-matched, blur 0.6",
        "histogram-matched, rescale 0.75",
        "histogram-matched, noise 8",
    ]
    assert list(report["detector"]) == list(report["summary"]) == names
    for rows in report["detector"].values():
        assert list(rows) == ["checks", "stripes"]
        for row in rows.values():
            assert {"auroc", "auroc_interval", "average_precision", "eer", "tpr_at_fpr_1"} <= set(row)
            assert {"tpr_at_fpr_01", "balanced_accuracy", "ece", "brier", "miss_rate"} <= set(row)
    assert list(report["baselines"]) == ["raw discriminator", "mean"]
    assert list(report["baselines"]["mean"]) == names
    assert report["counts"] == {"reals": 150, "checks": 60, "stripes": 50}


def test_raw_discriminator_is_ranked_by_its_logit(report, fitted, reals, spoiled):
    found = report["baselines"]["raw discriminator"]["clean"]["checks"]["auroc"]
    parts = (reals.test, spoiled(60, "checks", 31))
    logits = [fitted.detector.score(part)["discriminator_logit"] for part in parts]
    assert found == detection_metrics.rank(-logits[0], -logits[1])["auroc"]


def test_report_is_json(report):
    assert json.loads(json.dumps(report)) == report


def test_brightness_tells_clean_fakes_and_not_matched_ones(report):
    mean = report["baselines"]["mean"]
    assert mean["clean"]["checks"]["auroc"] > 0.95
    assert abs(mean["histogram-matched"]["checks"]["auroc"] - 0.5) < 0.3


def test_matrix_has_a_row_for_each_family_left_out(report):
    matrix = report["matrix"]
    assert list(matrix) == ["all families", "without autoencoder", "without gan"]
    matched = report["detector"]["histogram-matched"]
    for name, value in matrix["all families"].items():
        assert value == pytest.approx(matched[name]["auroc"], abs=0.01)


def test_summary():
    rows = {
        "a": {"auroc": 0.9, "tpr_at_fpr_1": 0.5},
        "b": {"auroc": 0.8, "tpr_at_fpr_1": 0.6},
    }
    assert detection_metrics.summarise(rows) == {
        "mean_auroc": pytest.approx(0.85),
        "worst_auroc": 0.8,
        "worst": "b",
        "worst_tpr_at_fpr_1": 0.5,
    }


def test_false_positives_are_compared_with_the_binomial_interval(report, fitted, reals):
    rates = report["false_positives"]
    realised = np.mean(fitted.detector.score(reals.test)["decision"] == 2)
    assert rates["realised"] == realised
    assert rates["promised"] == 0.01
    # Of 150 at 1 %: none to 4, from the binomial distribution.
    assert rates["interval"] == pytest.approx([0, 4 / 150])


def test_curves(report):
    for levels, found in report["roc"].values():
        assert levels[0] == 0
        assert (levels[-1], found[-1]) == (1, 1)
        assert (np.diff(found) >= 0).all()
    diagram = report["reliability"]
    assert sum(diagram["mass"]) == pytest.approx(1)
    ece = np.sum(np.abs(np.subtract(diagram["claimed"], diagram["found"])) * diagram["mass"])
    assert diagram["ece"] == pytest.approx(ece)


def test_pooled_generators_weigh_the_same():
    labels, scores, weights = detection_metrics.pool(np.zeros(10), [np.ones(5), np.full(20, 2.0)])
    assert labels.tolist() == [0] * 10 + [1] * 25
    assert [weights[scores == value].sum() for value in (0, 1, 2)] == pytest.approx([0.5, 0.25, 0.25])


def test_corrupting_in_pieces(monkeypatch, spots):
    whole = conditions.corrupt(spots(7, 0), "blur 0.6")
    monkeypatch.setattr(conditions, "_BATCH", 3)
    np.testing.assert_array_equal(conditions.corrupt(spots(7, 0), "blur 0.6"), whole)
    np.testing.assert_array_equal(conditions.corrupt(spots(7, 0), None), spots(7, 0))


def test_part_of_the_report(report, fitted, reals, spoiled, tmp_path):
    fakes = {"checks": spoiled(60, "checks", 31), "stripes": spoiled(3, "stripes", 32)}
    part = detector_report.describe(report, fitted.detector, reals=reals.test, fakes=fakes)
    run = RunDirectory(tmp_path)
    publish(run, part)
    written = json.loads(run.report_json.read_text())["detector"]
    assert written["summary"] == report["summary"]
    page = run.report_html.read_text()
    for text in ("Mean AUROC", "histogram-matched, jpeg 75", "without gan", "checks", "AUROC: mean"):
        assert text in page
    assert page.count("<svg") == 2
    assert page.count("data:image/png") >= 3
