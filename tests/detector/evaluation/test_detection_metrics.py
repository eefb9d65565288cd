import numpy as np
import pytest
from sklearn import metrics

from dcgan.detector.evaluation import detection_metrics
from dcgan.detector.threshold import Calibration


def _scores(p_fake, decision=None):
    p_fake = np.asarray(p_fake, np.float32)
    decision = np.where(p_fake > 0.5, 2, 0) if decision is None else np.asarray(decision)
    return {"p_fake": p_fake, "decision": decision}


def test_perfect_scores():
    measured = detection_metrics.measure(_scores(np.zeros(50)), _scores(np.ones(40)))
    assert measured["auroc"] == measured["average_precision"] == measured["tpr_at_fpr_01"] == 1
    assert measured["auroc_interval"] == [1, 1]
    assert (
        measured["eer"] == measured["ece"] == measured["brier"] == measured["false_positive_rate"] == 0
    )
    assert measured["balanced_accuracy"] == 1


def test_ranks_of_normal_scores():
    rng = np.random.default_rng(0)
    measured = detection_metrics.rank(rng.normal(0, 1, 40_000), rng.normal(2, 1, 40_000))
    # From the normal distribution: P(N(2, 2) > 0), Phi(-1), and P(N(2, 1) > quantile).
    assert measured["auroc"] == pytest.approx(0.9214, abs=0.003)
    assert measured["eer"] == pytest.approx(0.1587, abs=0.004)
    assert measured["tpr_at_fpr_1"] == pytest.approx(0.3721, abs=0.02)
    assert measured["tpr_at_fpr_01"] == pytest.approx(0.1379, abs=0.03)


def test_share_found_is_that_within_the_false_positives():
    reals, fakes = np.arange(1000) / 1000, np.array([0.9885, 0.9905, 0.9985, 0.9995])
    measured = detection_metrics.rank(reals, fakes)
    # 10 of 1,000 reals lie at 0.99 and above, one at 0.999.
    assert measured["tpr_at_fpr_1"] == 0.75
    assert measured["tpr_at_fpr_01"] == 0.5


def test_decisions():
    reals = _scores([0.1, 0.2, 0.3, 0.9], decision=[0, 0, 1, 2])
    fakes = _scores([0.9, 0.9, 0.4, 0.1, 0.1], decision=[2, 2, 1, 0, 0])
    measured = detection_metrics.measure_decisions(reals, fakes)
    assert measured["false_positive_rate"] == 0.25
    assert (measured["miss_rate"], measured["found"]) == (0.4, 0.4)
    assert measured["balanced_accuracy"] == pytest.approx((0.75 + 0.4) / 2)
    # Reals and fakes weigh the same, however many they are.
    assert measured["unsure_rate"] == pytest.approx((0.25 + 0.2) / 2)
    assert measured["brier"] == pytest.approx(
        (np.mean(np.square([0.1, 0.2, 0.3, 0.9])) + np.mean(np.square([0.1, 0.1, 0.6, 0.9, 0.9]))) / 2
    )


def test_calibration_error():
    labels = np.repeat([0, 1], [700, 300])
    weights = np.full(1000, 1e-3)
    assert detection_metrics.calibration_error(labels, np.full(1000, 0.3), weights) == pytest.approx(
        0, abs=1e-9
    )
    assert detection_metrics.calibration_error(labels, np.full(1000, 0.9), weights) == pytest.approx(0.6)
    claimed, found, mass = detection_metrics.reliability(labels, np.full(1000, 0.9), weights)
    np.testing.assert_allclose([claimed, found, mass], [[0.9], [0.3], [1.0]])


def test_interval_holds_the_value_and_narrows():
    rng = np.random.default_rng(0)
    reals, fakes = rng.normal(0, 1, 3000), rng.normal(1, 1, 3000)
    few = detection_metrics.auroc_interval(reals[:100], fakes[:100])
    many = detection_metrics.auroc_interval(reals, fakes)
    labels = np.repeat([0, 1], 3000)
    assert few[0] < 0.7602 < few[1]
    assert many[0] < metrics.roc_auc_score(labels, np.concatenate([reals, fakes])) < many[1]
    # Hanley and McNeil's standard error for such scores is 0.0060.
    assert many[1] - many[0] == pytest.approx(2 * 1.96 * 0.0060, rel=0.2)


def test_generators_are_ranked_worst_first():
    rows = {
        "as they are": {"a": {"auroc": 0.9}, "b": {"auroc": 0.8}},
        "blur": {"a": {"auroc": 0.7}, "b": {"auroc": 0.6}},
    }
    ranked = detection_metrics.rank_generators(rows)
    assert list(ranked) == ["b", "a"]
    assert ranked["a"] == {
        "mean_auroc": pytest.approx(0.8),
        "worst_auroc": 0.7,
        "worst_delivery": "blur",
    }


def test_false_positives_beside_the_certificate():
    decisions = {
        "a": np.repeat([0, 2], [98, 2]),
        "b": np.repeat([0, 2], [95, 5]),
        "c": np.repeat([0, 2], [50, 50]),
    }
    calibration = Calibration(
        slope=1.0,
        offset=0.0,
        fake_above=1.0,
        real_below=0.0,
        false_positive_rate=0.01,
        confidence=0.95,
        deliveries=("a", "b"),
        miss_rate=0.02,
        reals=700,
        fakes=100,
    )
    rates = detection_metrics.false_positives(decisions, calibration)
    assert rates["realised"] == {"a": 0.02, "b": 0.05, "c": 0.5}
    # Nothing is promised under c.
    assert (rates["worst_delivery"], rates["worst"]) == ("b", 0.05)
    assert (rates["promised"], rates["confidence"], rates["calibrated_on"]) == (0.01, 0.95, 700)
    # Of 100 at 1 %: none to 3, from the binomial distribution.
    assert rates["interval"] == pytest.approx([0, 0.03])
    assert detection_metrics.false_positives(decisions, None)["worst_delivery"] == "c"
