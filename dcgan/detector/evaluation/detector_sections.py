"""What a detector's evaluation adds to the report of its run."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dcgan.detector import saliency
from dcgan.detector.detector_model import Detector
from dcgan.detector.evaluation import conditions, detector_charts, holdout_evaluation
from dcgan.report import markup, pictures
from dcgan.report.page import Section
from dcgan.report.parts import Part

_NAME = "detector"
_RANK = 20
_SHOWN = 8
_PER_ROW = 4


def make_part(
    report: dict[str, Any], detector: Detector, *, reals: np.ndarray, fakes: Mapping[str, np.ndarray]
) -> Part:
    """Makes the detector's part of a run's report.

    Args:
        report: What `evaluation.evaluate` returned.
        detector: The detector.
        reals: Some of the reals it was tested on, shape (count, height, width, channels), uint8.
        fakes: The test generators' fakes by name.
    """
    sections = [
        Section("Detector", _overview(report)),
        Section("Detector under histogram matching and corruption", _conditions(report)),
        Section("Detector by what it learned from", _matrix(report)),
        Section("What the detector looks at", _explanations(detector, reals, fakes)),
    ]
    kept = {name: value for name, value in report.items() if name not in ("roc", "reliability")}
    return Part(name=_NAME, rank=_RANK, figures=kept, sections=sections)


def _overview(report: dict[str, Any]) -> str:
    matched = report["summary"][conditions.HISTOGRAM_MATCHED]
    alarms = report["false_positives"]
    cards = markup.cards(
        [
            (
                "Mean AUROC",
                f"{matched['mean_auroc']:.3f}",
                "histogram-matched fakes, unseen generators",
            ),
            ("Worst AUROC", f"{matched['worst_auroc']:.3f}", matched["worst"]),
            (
                "Reals called fake",
                f"{alarms['realised']:.2%}",
                f"promised at most {alarms['promised']:.2%}",
            ),
            ("Calibration error", f"{report['reliability']['ece']:.3f}", "0 is best"),
        ]
    )
    text = markup.paragraph(
        "Histogram-matched fakes have the reals' own pixel values, by rank, so that no histogram tells "
        "them apart; the generators are none that the detector learned from. "
        f"Of {alarms['reals']:,} unseen reals at the promised rate, "
        f"{alarms['interval'][0]:.2%} to {alarms['interval'][1]:.2%} would be called fake in 95 of "
        "100 draws."
    )
    curves = markup.beside(
        markup.figure(pictures.svg(detector_charts.roc(report["roc"])), alt="ROC curves by generator"),
        markup.figure(
            pictures.svg(detector_charts.reliability(report["reliability"])), alt="Reliability diagram"
        ),
    )
    return cards + text + _generators(report) + curves


def _generators(report: dict[str, Any]) -> str:
    """All figures of each generator, histogram-matched."""
    names = ("average_precision", "eer", "tpr_at_fpr_1", "tpr_at_fpr_01", "balanced_accuracy")
    rows = []
    for generator, row in report["detector"][conditions.HISTOGRAM_MATCHED].items():
        low, high = row["auroc_interval"]
        values = [f"{row[name]:.3f}" for name in (*names, "unsure_rate", "miss_rate", "ece", "brier")]
        rows.append([generator, f"{row['auroc']:.3f} ({low:.3f} to {high:.3f})", *values])
    header = ["generator", "AUROC (95 %)", "AP", "EER", "found at 1 %", "found at 0.1 %"]
    header += ["balanced accuracy", "unsure", "called real", "ECE", "Brier"]
    return markup.table(rows, header=header, caption="Histogram-matched fakes by generator")


def _conditions(report: dict[str, Any]) -> str:
    """AUROC by condition and generator, of the detector and of what it has to beat."""
    generators = list(holdout_evaluation.generators(report))
    header = ("", *generators, "mean", "worst")
    tables = []
    for name, rows in [("Detector", report["detector"]), *report["baselines"].items()]:
        content = []
        for condition, row in rows.items():
            values = [row[generator]["auroc"] for generator in generators]
            cells = [f"{value:.3f}" for value in (*values, np.mean(values), min(values))]
            content.append([condition, *cells])
        tables.append(markup.table(content, header=header, caption=f"AUROC: {name}"))
    note = markup.paragraph(
        "Reals and fakes are corrupted alike; where a pixel histogram alone does well on clean "
        "fakes, a clean figure proves nothing."
    )
    return note + "".join(tables)


def _matrix(report: dict[str, Any]) -> str:
    generators = list(holdout_evaluation.generators(report))
    rows = [
        [row, *(f"{values[generator]:.3f}" for generator in generators)]
        for row, values in report["matrix"].items()
    ]
    text = markup.paragraph(
        "Each row but the first is a network trained briefly without one family of fakes: what to "
        "expect of a kind of generator that nobody has seen yet."
    )
    return text + markup.table(
        rows, header=("learned from", *generators), caption="AUROC, histogram-matched"
    )


def _explanations(detector: Detector, reals: np.ndarray, fakes: Mapping[str, np.ndarray]) -> str:
    groups = {"reals": reals, **fakes}
    shown = []
    for name, images in groups.items():
        chosen = images[:_SHOWN]
        maps = saliency.heat_maps(detector, chosen)
        overlays = [saliency.overlay(image, heat) for image, heat in zip(chosen, maps, strict=True)]
        sheet = pictures.sheet(np.stack(overlays), columns=_PER_ROW)
        shown.append(markup.figure(sheet, alt=f"Heat maps of {name}", caption=name))
    return markup.beside(*shown)
