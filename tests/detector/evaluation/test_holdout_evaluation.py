import dataclasses
import json

import numpy as np
import pytest

from dcgan.detector.delivery.named_deliveries import NAMED
from dcgan.detector.evaluation import (
    conditions,
    detection_metrics,
    detector_report,
    families,
    headline,
    holdout_evaluation,
)
from dcgan.report import publish
from dcgan.runs.run_directory import RunDirectory

pytestmark = pytest.mark.slow

CHECKS = ["histogram-matched", "histogram-matched one by one"]


@pytest.fixture(scope="module")
def report(fitted, reals, spoiled):
    fakes = {"checks": spoiled(60, "checks", 31), "stripes": spoiled(50, "stripes", 32)}
    measured = holdout_evaluation.evaluate(
        fitted.detector,
        reals.test,
        fakes,
        baselines={
            "mean": lambda images: images.mean(axis=(1, 2, 3)),
            "pixel": lambda images: images[:, 5, 5, 0].astype(float),
        },
    )
    measured["families"] = families.measure_families(fitted.folds, fitted.pool, reals.test)
    measured["simple_statistics"] = {
        "auroc": 0.95,
        "found": 0.5,
        "too_easy": True,
        "easy_share": 0.7,
    }
    return {"headline": headline.write(measured, fitted.detector.calibration), **measured}


def test_every_condition_generator_and_metric(report):
    names = [*NAMED, *CHECKS]
    assert list(report["detector"]) == list(report["summary"]) == names
    for rows in report["detector"].values():
        assert list(rows) == ["checks", "stripes"]
        for row in rows.values():
            assert {"auroc", "auroc_interval", "average_precision", "eer", "tpr_at_fpr_1"} <= set(row)
            assert {"tpr_at_fpr_01", "found", "ece", "brier", "miss_rate"} <= set(row)
    assert list(report["baselines"]) == ["raw discriminator", "mean", "pixel"]
    assert list(report["baselines"]["mean"]) == names
    assert report["counts"] == {"reals": 150, "checks": 60, "stripes": 50}


def test_deliveries_reach_both_classes(reals, spoiled):
    fakes = {"checks": spoiled(6, "checks", 1), "stripes": spoiled(4, "stripes", 2)}
    changed = dict(conditions.apply_each(reals.test[:5], fakes))
    assert list(changed) == [*NAMED, *CHECKS]
    for name, images in changed.items():
        assert {group: len(part) for group, part in images.items()} == {
            "reals": 5,
            "checks": 6,
            "stripes": 4,
        }
        same = [np.array_equal(images["reals"], reals.test[:5])]
        same.append(np.array_equal(images["checks"], fakes["checks"]))
        expected = [True, True] if name == "as they are" else [name in CHECKS, False]
        assert same == expected
    matched = changed["histogram-matched one by one"]["checks"][0]
    assert np.isin(matched, reals.test[:5]).all()


def test_both_classes_are_scored_as_they_were_delivered(report, fitted, reals, spoiled):
    fakes = {"checks": spoiled(60, "checks", 31), "stripes": spoiled(50, "stripes", 32)}
    delivered = dict(conditions.apply_each(reals.test, fakes))
    for condition in ("blur", "noise", "crop 90", CHECKS[0]):
        images = delivered[condition]
        logits = {name: fitted.detector.raw_scores(part) for name, part in images.items()}
        levels = {name: part[:, 5, 5, 0] for name, part in images.items()}
        for name in fakes:
            expected = detection_metrics.rank(levels["reals"], levels[name])["auroc"]
            assert report["baselines"]["pixel"][condition][name]["auroc"] == expected
            expected = detection_metrics.rank(logits["reals"], logits[name])["auroc"]
            assert report["detector"][condition][name]["auroc"] == pytest.approx(expected, abs=0.02)


def test_raw_discriminator_is_ranked_by_its_logit(report, fitted, reals, spoiled):
    found = report["baselines"]["raw discriminator"]["as they are"]["checks"]["auroc"]
    parts = (reals.test, spoiled(60, "checks", 31))
    logits = [fitted.detector.score(part)["discriminator_logit"] for part in parts]
    assert found == detection_metrics.rank(-logits[0], -logits[1])["auroc"]


def test_report_is_json(report):
    assert json.loads(json.dumps(report)) == report


def test_brightness_tells_fakes_as_they_are_and_not_matched_ones(report):
    mean = report["baselines"]["mean"]
    assert mean["as they are"]["checks"]["auroc"] > 0.95
    assert abs(mean["histogram-matched"]["checks"]["auroc"] - 0.5) < 0.3


def test_each_family_is_told_by_the_fold_that_was_kept_from_it(report, fitted, reals):
    assert sorted(report["families"]) == ["autoencoder", "gan"]
    means = [row["mean_auroc"] for row in report["families"].values()]
    assert means == sorted(means)
    kept = fitted.pool.images[fitted.pool.families == "gan"]
    scores = [fitted.folds["gan"].raw_scores(part) for part in (reals.test, kept)]
    found = families.measure_families(fitted.folds, fitted.pool, reals.test)["gan"]
    assert found["worst_auroc"] <= detection_metrics.rank(*scores)["auroc"]


def test_folds_are_measured_on_delivered_reals(pool, reals):
    """The reals come first; as they are, they come once."""
    plain = []

    class Fold:
        def raw_scores(self, images):
            plain.append(np.array_equal(images[:150], reals.test))
            return np.arange(len(images))

    families.measure_families({"gan": Fold()}, pool, reals.test)
    assert dict(zip(NAMED, plain, strict=True)) == {name: name == "as they are" for name in NAMED}


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


def test_false_positives_are_those_of_each_delivery(report, fitted, reals):
    rates = report["false_positives"]
    realised = np.mean(fitted.detector.score(reals.test)["decision"] == 2)
    assert rates["realised"]["as they are"] == realised
    assert list(rates["realised"]) == list(NAMED)
    assert rates["worst"] == max(rates["realised"][name] for name in rates["deliveries"])


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


# Headline


def _conclude(report, fitted, *, auroc=0.9, too_easy=False, **changes):
    row = {"mean_auroc": auroc, "worst_auroc": auroc - 0.1, "worst_delivery": "blur"}
    better = {"mean_auroc": 0.99, "worst_auroc": 0.95, "worst_delivery": "noise"}
    report = {
        **report,
        "generators": {"diffusion": row, "VAE": better},
        "simple_statistics": {"auroc": 0.93, "easy_share": 0.42, "too_easy": too_easy},
        **changes,
    }
    return headline.write(report, fitted.detector.calibration)


def test_headline_starts_with_the_worst(report, fitted):
    said = _conclude(report, fitted)
    assert said["warnings"] == []
    assert "AUROC of 0.900 (diffusion, the worst of 2" in said["sentences"][0]
    assert "in the worst single case of 0.800 (diffusion, blur)" in said["sentences"][0]
    assert said["sentences"][3].startswith("At this threshold ")
    assert said["sentences"][1].startswith("Of generators of a kind it has not seen, expect")
    assert "with 95 % confidence, under each of 34 deliveries" in said["sentences"][2]
    assert said["mean_auroc"] == pytest.approx(0.945)


def test_generators_whose_fakes_were_learned_do_not_count_as_unknown(report, fitted):
    said = _conclude(report, fitted, auroc=0.59, learned={"diffusion": {}})
    assert "AUROC of 0.990 (VAE, the worst of 1" in said["sentences"][0]
    assert (said["mean_auroc"], said["worst_delivered"]) == (0.99, "VAE")
    assert not said["near_chance"]


def test_headline_warns_where_the_detector_cannot_tell(report, fitted):
    said = _conclude(report, fitted, auroc=0.59)
    assert said["near_chance"]
    (warning,) = said["warnings"]
    assert "finds only generators like those it has learned from" in warning
    assert "diffusion" in warning


def test_headline_warns_of_an_easy_pool_with_the_share(report, fitted):
    (warning,) = _conclude(report, fitted, too_easy=True)["warnings"]
    assert "too easy" in warning
    assert "42%" in warning


def test_headline_without_other_kinds_or_promise(report, fitted):
    said = _conclude(report, fitted, families={})
    assert "nothing is known of other kinds" in said["sentences"][1]
    uncalibrated = headline.write(report, None)["sentences"][2]
    assert uncalibrated.startswith("Nothing is promised")


def test_headline_does_not_call_reals_unseen_that_the_run_was_trained_on(report, fitted):
    def sentence(**options):
        return headline.write(report, fitted.detector.calibration, **options)["sentences"][2]

    assert "unseen reals" in sentence()
    assert "150 reals that the run was trained on" in sentence(seen=True)
    assert "unseen" not in sentence(seen=True)
    assert headline.write(report, None, notes=("They are few.",))["warnings"][0] == "They are few."


def test_part_of_the_report(report, fitted, reals, spoiled, tmp_path):
    fakes = {"checks": spoiled(60, "checks", 31), "stripes": spoiled(3, "stripes", 32)}
    part = detector_report.describe(report, fitted.detector, reals=reals.test, fakes=fakes)
    run = RunDirectory(tmp_path)
    publish(run, part)
    written = json.loads(run.report_json.read_text())["detector"]
    assert written["summary"] == report["summary"]
    page = run.report_html.read_text()
    for text in ("Worst generator", "crop-jpeg-3/4-jpeg", "too easy", "Reals called fake"):
        assert text in page
    assert page.count("<svg") == 2
    assert page.count("data:image/png") >= 3


def test_report_without_a_promise(report, fitted, reals, tmp_path):
    rates = {
        name: report["false_positives"][name]
        for name in ("reals", "realised", "worst", "worst_delivery")
    }
    part = detector_report.describe(report, fitted.detector, reals=reals.test, fakes={})
    bare = dataclasses.replace(part, metrics={**part.metrics, "false_positives": rates})
    publish(RunDirectory(tmp_path), bare)
    assert "no rate was promised" in RunDirectory(tmp_path).report_html.read_text()
