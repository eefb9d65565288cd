"""What a report says first: what to expect of unknown generators, and where the detector cannot tell."""

from collections.abc import Mapping, Sequence
from typing import Any

from dcgan.detector import certificate
from dcgan.detector.threshold import Calibration

NEAR_CHANCE = 0.6
"""Below this AUROC, in the mean over deliveries, a generator counts as one that is not told."""


def write(
    report: Mapping[str, Any],
    calibration: Calibration | None,
    *,
    seen: bool = False,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Draws the conclusions of an evaluation.

    Args:
        report: What `holdout_evaluation.evaluate` returned, with `families` and `simple_statistics`, and
            with `start` if there is one.
        calibration: The detector's calibration.
        seen: Whether the run was trained on the reals of the test. Defaults to False.
        notes: Further warnings, about the reals. Defaults to none.

    Returns:
        JSON values: `warnings` and `sentences`, to be read first and in this order; `mean_auroc` over
        holdout generators and deliveries; the `worst_generator` with its mean over deliveries,
        `worst_auroc`, its `worst_delivery` and the AUROC there, `worst_auroc_delivered`; and
        `near_chance`.
    """
    generators = report["generators"]
    worst = next(iter(generators))
    means = [row["mean_auroc"] for row in generators.values()]
    numbers = {
        "mean_auroc": sum(means) / len(means),
        "worst_generator": worst,
        "worst_auroc": means[0],
        "worst_auroc_delivered": generators[worst]["worst_auroc"],
        "worst_delivery": generators[worst]["worst_delivery"],
        "near_chance": means[0] < NEAR_CHANCE,
    }
    sentences = [
        _expect(numbers, generators, easy="start" in report),
        *_expect_families(report["families"]),
    ]
    sentences.append(_alarms(report["false_positives"], calibration, seen=seen))
    warnings = [*notes, *_warn(numbers, report["simple_statistics"])]
    return {"warnings": warnings, "sentences": sentences, **numbers}


def _expect(numbers: Mapping[str, Any], generators: Mapping[str, Any], *, easy: bool) -> str:
    """Says what holdout generators tell; those trained on photographs for minutes are easy to tell."""
    told = (
        f"{numbers['worst_auroc']:.3f} ({numbers['worst_generator']}, the worst of {len(generators)}, "
        f"in the mean over deliveries) to {list(generators.values())[-1]['mean_auroc']:.3f}, and of "
        f"{numbers['worst_auroc_delivered']:.3f} under the worst delivery "
        f"({numbers['worst_delivery']}). 0.5 is chance."
    )
    if easy:
        return (
            f"Of its own holdout generators, easier to tell than published ones, it has AUROCs of {told}"
        )
    return f"Of generators it has not learned from, as their images arrive, expect an AUROC of {told}"


def _expect_families(families: Mapping[str, Any]) -> list[str]:
    if not families:
        return ["The pool has one kind of generator only: nothing is known of other kinds."]
    worst, *_, best = [*families, *families]
    return [
        f"Of generators of a kind it has not seen, expect an AUROC of "
        f"{families[worst]['mean_auroc']:.3f} ({worst}, the worst) to "
        f"{families[best]['mean_auroc']:.3f} ({best}, the best) in the mean over deliveries: so "
        f"networks that trained briefly without one kind of the pool tell it."
    ]


def _alarms(rates: Mapping[str, Any], calibration: Calibration | None, *, seen: bool) -> str:
    reals = (
        f"{rates['reals']:,} reals that the run was trained on"
        if seen
        else f"{rates['reals']:,} unseen reals"
    )
    found = f"of {reals}, {rates['worst']:.2%} were, under the worst of them ({rates['worst_delivery']})"
    if calibration is None:
        return f"Nothing is promised of reals called fake under any of the deliveries; {found}."
    promise = certificate.describe(calibration)
    return f"{promise[0].upper()}{promise[1:]}; {found}."


def _warn(numbers: Mapping[str, Any], simple: Mapping[str, Any]) -> list[str]:
    warnings = []
    if numbers["near_chance"]:
        worst, auroc = numbers["worst_generator"], numbers["worst_auroc"]
        warnings.append(
            f"It finds only generators like those it has learned from: fakes of {worst} rank hardly "
            f"above reals (AUROC {auroc:.3f}). Learning from such fakes helps; a threshold does not."
        )
    if simple["too_easy"]:
        auroc, share = simple["auroc"], simple["easy_share"]
        warnings.append(
            f"The pool is too easy to have taught much: simple statistics of an image already tell its "
            f"fakes from reals (AUROC {auroc:.3f}); they recognise the generators of {share:.0%}."
        )
    return warnings
