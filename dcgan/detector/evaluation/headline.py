"""What a report says first: what to expect of unknown generators, and where the detector cannot tell."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dcgan.detector import certificate
from dcgan.detector.threshold import Calibration

NEAR_CHANCE = 0.6
"""Below this AUROC, in the mean over deliveries, a generator counts as one that is not told."""

_AS_THEY_ARE = "as they are"


def write(
    report: Mapping[str, Any],
    calibration: Calibration | None,
    *,
    seen: bool = False,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Draws the conclusions of an evaluation.

    Args:
        report: What `holdout_evaluation.evaluate` returned, with `families` and `simple_statistics`;
            `start` if there is one; `learned` if the user has given fakes to learn from.
        calibration: The detector's calibration.
        seen: Whether the run was trained on the reals of the test. Defaults to False.
        notes: Further warnings, about the reals. Defaults to none.

    Returns:
        JSON values: `warnings` and `sentences`, to be read first and in this order. The numbers are of
        generators that the detector has not learned from: `mean_auroc` over them and deliveries; the
        `worst_generator` with its mean over deliveries, `worst_auroc`; the lowest AUROC of any of them
        under any delivery, `worst_auroc_delivered`, with `worst_delivery` and `worst_delivered`, the
        generator; and `near_chance`.
    """
    learned = report.get("learned") or ()
    generators = {name: row for name, row in report["generators"].items() if name not in learned}
    worst = next(iter(generators))
    means = [row["mean_auroc"] for row in generators.values()]
    lowest = min(generators, key=lambda name: generators[name]["worst_auroc"])
    numbers = {
        "mean_auroc": sum(means) / len(means),
        "worst_generator": worst,
        "worst_auroc": means[0],
        "worst_auroc_delivered": generators[lowest]["worst_auroc"],
        "worst_delivery": generators[lowest]["worst_delivery"],
        "worst_delivered": lowest,
        "near_chance": means[0] < NEAR_CHANCE,
    }
    sentences = [
        _expect(numbers, generators, easy="start" in report),
        *_expect_families(report["families"]),
    ]
    sentences.append(_alarms(report["false_positives"], calibration, seen=seen))
    sentences.append(_describe_found(report["detector"][_AS_THEY_ARE]))
    warnings = [*notes, *_warn(numbers, report["simple_statistics"])]
    return {"warnings": warnings, "sentences": sentences, **numbers}


def describe_given(report: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Says, a sentence each, how the fakes that a user gave to test on are told.

    Args:
        report: As for `write`.
        names: What the user calls their generators.
    """
    told, generators = report["detector"][_AS_THEY_ARE], report["generators"]
    learned = report.get("learned") or ()
    whose = {name: f"{name}, which it has learned from" if name in learned else name for name in names}
    return [
        f"Of your fakes of {said}: AUROC {told[name]['auroc']:.3f} as they are, "
        f"{generators[name]['worst_auroc']:.3f} in the worst case "
        f"({generators[name]['worst_delivery']}); {told[name]['found']:.0%} are called fake as they are."
        for name, said in whose.items()
    ]


def _describe_found(told: Mapping[str, Mapping[str, float]]) -> str:
    found = {name: row["found"] for name, row in told.items()}
    least, most = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
    return (
        f"At this threshold {found[least]:.0%} ({least}) to {found[most]:.0%} ({most}) of the fakes are "
        f"called fake as they are; the others are `unsure`, or `real`. Calibrating on more reals, or "
        f"promising for fewer deliveries, lowers it."
    )


def _expect(numbers: Mapping[str, Any], generators: Mapping[str, Any], *, easy: bool) -> str:
    """Says what holdout generators tell; those trained on photographs for minutes are easy to tell."""
    told = (
        f"{numbers['worst_auroc']:.3f} ({numbers['worst_generator']}, the worst of {len(generators)}, "
        f"in the mean over deliveries) to {list(generators.values())[-1]['mean_auroc']:.3f}, and in the "
        f"worst single case of {numbers['worst_auroc_delivered']:.3f} ({numbers['worst_delivered']}, "
        f"{numbers['worst_delivery']}). 0.5 is chance."
    )
    if easy:
        return (
            f"Of the generators it was tested on, its own being easier to tell than published ones, it "
            f"has AUROCs of {told}"
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
            f"fakes from reals (AUROC {auroc:.3f}; more than 0.9 on the generators of {share:.0%} of "
            f"them)."
        )
    return warnings
