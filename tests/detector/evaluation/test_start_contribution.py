import numpy as np
import pytest

from dcgan.detector.delivery.named_deliveries import NAMED
from dcgan.detector.evaluation import headline, run_evaluation, start_contribution

pytestmark = pytest.mark.slow


def _card(**left_out):
    generators = [
        {"name": "a-1", "family": "GAN", "author": "a", "images": 100},
        {"name": "a-2", "family": "GAN", "author": "a", "images": 50},
        {"name": "b", "family": "diffusion", "author": "b", "images": 1_000},
    ]
    return {"generators": generators, "reals": [], "left_out": {"author": left_out}}


def _row(mean, worst):
    return {"mean_auroc": mean, "worst_auroc": worst, "worst": "b"}


def test_says_what_it_has_seen_what_to_expect_and_what_the_run_added():
    card = _card(
        **{"jpeg 75": _row(0.61, 0.5), "as they are": _row(0.8, 0.6), "crop 90": _row(0.7, 0.5)}
    )
    seen, expected, added = start_contribution.describe(
        card, {"start": 0.6, "learner": 0.9, "both": 0.8}
    )
    assert seen == "Its start has seen 1,150 fakes of 3 generators by 2 authors (GAN 2, diffusion 1)."
    assert "0.800 as they are (worst 0.600, b), 0.610 after jpeg 75 (worst 0.500, b): what" in expected
    assert "the start alone has an AUROC of 0.600, what learned from this run 0.900, both" in added


@pytest.mark.usefixtures("quick_generators")
def test_what_each_branch_reaches(colour_fitted):
    fitted = colour_fitted[1]
    classifier, test = fitted.detector.classifier, fitted.reals.test[:]
    fakes = {"bright": 255 - test // 4, "same": test}
    progress = []
    found = start_contribution.measure(
        classifier, test, fakes, progress=lambda *state: progress.append(state)
    )
    assert list(found) == ["start", "learner", "both"]
    assert progress[-1] == ("the start alone", 1.0)
    assert len(progress) == len(NAMED)
    same = start_contribution.measure(classifier, test, {"same": test})
    assert list(same.values()) == pytest.approx([0.5] * 3)


def test_easy_holdout_generators_are_called_so():
    generators = {"VAE": {"mean_auroc": 0.99, "worst_auroc": 0.9, "worst_delivery": "jpeg 40"}}
    simple = {"too_easy": False}
    rates = {"reals": 9, "worst": 0.0, "worst_delivery": "blur"}
    report = {"generators": generators, "families": {}, "simple_statistics": simple}
    report["false_positives"] = rates
    report["detector"] = {"as they are": {"VAE": {"auroc": 0.99, "found": 0.5}}}
    grey = headline.write(report, None)["sentences"][0]
    colour = headline.write({**report, "start": {}}, None)["sentences"][0]
    assert grey.startswith("Of generators it has not learned from, as their images arrive, expect")
    assert colour.startswith("Of the generators it was tested on, its own being easier to tell than")


def test_fakes_to_test_on_that_are_jpegs_are_named():
    class Part:
        jpeg_qualities = np.full(9, 75, np.uint8)

    class Reals:
        jpeg_qualities = None

    (text,) = run_evaluation._warn_of_files({"mine": Part}, Reals)
    assert text.startswith("100% of the fakes of mine are JPEG, of the reals 0%")
    Reals.jpeg_qualities = Part.jpeg_qualities
    assert run_evaluation._warn_of_files({"mine": Part}, Reals) == []
