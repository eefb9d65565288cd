"""What `report.html` shows of an evaluation."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dcgan.evaluation import nearest_images
from dcgan.evaluation.evaluated_run import Subject
from dcgan.evaluation.measurements import Classes, Findings
from dcgan.features import FeatureExtractor
from dcgan.metrics import Score
from dcgan.report import charts, markup, pictures
from dcgan.report.page import Section

_GRID = 64
_SHOWN = 10
_CARDS = ("frechet_distance", "precision", "recall", "coverage")
_MEANINGS = {
    "frechet_distance": "Distance of samples from test images, as normal distributions; 0 if equal.",
    "kid": "The same without normal distributions; near 0, even below it, if equal.",
    "precision": "Share of samples that are like test images: fidelity.",
    "recall": "Share of test images that are like samples: diversity.",
    "density": "How many test images a sample is like, relative to what is expected; 1 if equal.",
    "coverage": "Share of test images with a sample nearby: diversity, robust to outliers.",
    "class_divergence": "How far the samples' class shares are from the test images'; 0 if equal.",
    "class_entropy": "How evenly the samples spread over the classes.",
    "classifier_score": "Whether each sample is clearly of one class and all classes occur.",
}
_CURVES = (("Loss", "_loss"), ("Accuracy of the discriminator", "_accuracy"))
_DISTANCES = (("Frechet distance", "val_frechet_distance", True), ("KID", "val_kid", False))


def of_samples(subject: Subject, findings: Findings) -> list[Section]:
    """Returns the sections on the samples.

    Args:
        subject: What was evaluated.
        findings: What came out.
    """
    sections = [
        Section("Summary", _summary(subject, findings)),
        Section("Samples", _samples(subject, findings)),
        Section("Metrics", _metrics(subject, findings.scores)),
        Section("Training", _training(subject.run.read_metrics())),
        Section("Nearest training images", _nearest(subject, findings)),
        Section("Interpolations", _interpolations(findings.walks)),
    ]
    if findings.classes is not None:
        sections.insert(3, Section("Classes", _classes(findings.classes)))
    return sections


def of_run(subject: Subject, figures: Mapping[str, Any]) -> list[Section]:
    """Returns the section on how the run was made.

    Args:
        subject: What was evaluated.
        figures: What `dcgan.evaluation.sample_metrics.of_run` returned.
    """
    settings = figures["configuration"]
    networks, training = settings["network"], settings["training"]
    rest = {name: value for name, value in settings.items() if not isinstance(value, dict)}
    return [
        Section(
            "Configuration",
            markup.paragraph(_timing(figures["timings"]))
            + markup.beside(
                markup.table(rest.items(), caption="Run")
                + markup.table(figures["versions"].items(), caption="Versions"),
                markup.table(networks.items(), caption="Networks"),
                markup.table(training.items(), caption="Training"),
            ),
        )
    ]


def _summary(subject: Subject, findings: Findings) -> str:
    shape = " x ".join(map(str, subject.train.images.shape[1:]))
    text = (
        f"{subject.count:,} samples after {subject.epochs} epochs on {subject.train.name}, "
        f"split {subject.train.split}: {len(subject.train.images):,} images of {shape}. Compared with "
        f"{len(subject.test.images):,} test images."
    )
    values = [
        (_title(name), _number(findings.scores[name].value), _floor(findings.scores[name]))
        for name in _CARDS
    ]
    notes = [markup.paragraph(note, note=True) for note in subject.notes]
    return markup.paragraph(text) + markup.cards(values) + "".join(notes)


def _samples(subject: Subject, findings: Findings) -> str:
    rng = np.random.default_rng(subject.seed)
    real = subject.test.images
    real = real[rng.permutation(len(real))[:_GRID]]
    return markup.beside(
        _sheet(findings.samples[:_GRID], "Samples", "Samples, not selected."),
        _sheet(real, "Real images", "Test images, for comparison."),
    )


def _metrics(subject: Subject, scores: Mapping[str, Score]) -> str:
    rows = [
        (
            _title(name),
            _number(score.value) + ("" if score.spread is None else f" ± {score.spread:.2g}"),
            "-" if score.floor is None else _number(score.floor),
            "higher" if score.higher_is_better else "lower",
            _MEANINGS[name],
        )
        for name, score in scores.items()
    ]
    header = ("Metric", "Samples", "Floor", "Better", "Meaning")
    against = " to ".join(f"{count:,}" for count in sorted({s.real_count for s in scores.values()}))
    explained = (
        f"{subject.count:,} samples against {against} test images. "
        "The floor is what as many training images score in the samples' place: no generator can be "
        f"expected to do better. {_describe(subject.extractor)} Seed {subject.seed}. Compare only "
        "with metrics of the same features and counts."
    )
    return markup.table(rows, header=header) + markup.paragraph(explained)


def _training(rows: Sequence[Mapping[str, float]]) -> str:
    if not rows:
        return markup.paragraph("The run has no metrics.csv.", note=True)
    logged = list(dict.fromkeys(name for row in rows for name in row))
    plots = [
        _plot(charts.curves(rows, names, label=label), f"{label} over the epochs")
        for label, ending in _CURVES
        if (names := [name for name in logged if name.endswith(ending)])
    ]
    plots += [
        _plot(charts.curves(rows, [name], label=label, log=log), f"{label} over the epochs")
        for label, name, log in _DISTANCES
        if name in logged
    ]
    return markup.beside(*plots)


def _nearest(subject: Subject, findings: Findings) -> str:
    closest = np.argsort(findings.features.samples.distances, kind="stable")[:_SHOWN]
    explained = (
        "Does the generator copy? The top row shows samples, the middle row the training image that "
        "is nearest by the extractor's features, the bottom row the one that is nearest by pixels."
    )
    yardstick = (
        "Test images, which the generator has never seen, are the yardstick: samples that come much "
        "nearer to training images than those do are copies, or blurred, which brings them nearer to "
        "all images; the rows above tell which."
    )
    return (
        markup.paragraph(explained)
        + _neighbors(subject, findings, np.arange(_SHOWN), "Samples, not selected.")
        + _neighbors(subject, findings, closest, "The samples closest to a training image by features.")
        + markup.paragraph(yardstick)
        + markup.beside(
            _distances(findings.features, "feature distance to the nearest training image"),
            _distances(findings.pixels, "pixel difference to the nearest training image (RMS)"),
        )
    )


def _neighbors(subject: Subject, findings: Findings, rows: np.ndarray, caption: str) -> str:
    rows = rows[: subject.count]
    train = subject.train.images
    stack = np.concatenate(
        [
            findings.samples[rows],
            train[findings.features.samples.rows[rows]],
            train[findings.pixels.samples.rows[rows]],
        ]
    )
    return _sheet(stack, f"Nearest training images. {caption}", caption, columns=len(rows))


def _distances(comparison: nearest_images.Comparison, label: str) -> str:
    values = {
        "test images": comparison.test.distances,
        "samples": comparison.samples.distances,
    }
    caption = (
        f"{comparison.close_share:.1%} of the samples are closer than the closest "
        f"{nearest_images.CLOSE:.0%} of the test images are; {nearest_images.CLOSE:.0%} would be as new "
        "as test images."
    )
    return markup.figure(
        charts.histograms(values, label=label), alt=f"Histogram: {label}", caption=caption
    )


def _interpolations(walks: np.ndarray) -> str:
    caption = (
        "Each row goes from one latent to another. Smooth changes through plausible images speak for "
        "a generator that has learned; jumps between a few images for one that has memorised."
    )
    return _sheet(walks.reshape(-1, *walks.shape[2:]), "Interpolations", caption, columns=walks.shape[1])


def _classes(classes: Classes) -> str:
    values = {"test images": classes.real, "samples": classes.samples}
    plot = charts.bars(values, names=classes.names, label="share")
    return _plot(plot, "Share of images in each class", "As the extractor classifies them.")


def _sheet(images: np.ndarray, alt: str, caption: str, *, columns: int | None = None) -> str:
    source = pictures.sheet(images, columns=columns)
    return markup.figure(source, alt=alt, caption=caption, pixelated=True)


def _plot(source: str, alt: str, caption: str = "") -> str:
    return markup.figure(source, alt=alt, caption=caption)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _number(value: float) -> str:
    return f"{value:.4g}"


def _floor(score: Score) -> str:
    return "" if score.floor is None else f"floor {_number(score.floor)}"


def _describe(extractor: FeatureExtractor) -> str:
    text = f"The extractor is {extractor.name}"
    if extractor.trained_on:
        text += f", which learned from {extractor.trained_on}"
    if extractor.accuracy is not None:
        text += f" and classifies {extractor.accuracy:.2%} of unseen images correctly"
    return text + "."


def _timing(timings: Mapping[str, float]) -> str:
    if not timings:
        return "The run has no timings.csv."
    minutes, seconds = divmod(math.floor(timings["seconds"]), 60)
    return (
        f"Training took {minutes} min {seconds} s for {timings['epochs']} epochs, "
        f"{timings['seconds_an_epoch']:.1f} s an epoch, {timings['steps_per_second']:.1f} steps/s."
    )
