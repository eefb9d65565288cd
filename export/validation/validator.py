"""Validates a candidate and writes its blessing."""

import dataclasses
import datetime
import os
import pathlib

from dcgan.errors import InputError
from dcgan.runs import training_record
from export import model_card, sources
from export.publishing import integrity, versions
from export.publishing.blessing import Candidate
from export.sources import Source
from export.validation import fresh_process, metric_thresholds, probes
from export.validation.metric_thresholds import Thresholds
from export.validation.probes import Probe

TOLERANCE = 1e-3
_NOT_EVALUATED = (
    "the detector was not evaluated, or has been changed since: its model card has no figures"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Validation:
    """What `validate_model` found; it is also written beside the model.

    Attributes:
        blessed: Whether the model agrees with Keras and meets its thresholds.
        infra_blessed: Whether a fresh process could load it and call every signature.
        reasons: Why it is not blessed, a line each.
        differences: The largest difference from Keras's numbers, by signature.
        notes: What was not looked at, a line each. Defaults to nothing.
    """

    blessed: bool
    infra_blessed: bool
    reasons: tuple[str, ...]
    differences: dict[str, float]
    notes: tuple[str, ...] = ()


def validate_model(
    candidate: Candidate,
    source: Source,
    *,
    limits: Thresholds | None = None,
    against: str | os.PathLike[str] | None = None,
    tolerance: float = TOLERANCE,
) -> Validation:
    """Validates a candidate and writes its blessing beside it.

    A new process without Keras loads the SavedModel and calls every signature. Its answers are
    compared with Keras's, and the metrics of the model card with the thresholds. A model of a training
    that failed is not blessed. The blessing is for the files that were read, byte for byte.

    Args:
        candidate: What `export_model` or `export_generator` returned.
        source: What it was made from: a run, a `Detector` or a `DCGAN`.
        limits: Bounds on the metrics. Defaults to none.
        against: The base directory of live models, with whose newest version the limits on changes
            compare. Defaults to `serving/` in a run, and to none for a model in memory.
        tolerance: How far probabilities may be from Keras's, and logits in proportion to their size.
            Defaults to 1e-3.

    Returns:
        What was found.

    Raises:
        InputError: If the source or the candidate cannot be read, or the candidate changes meanwhile or
            cannot be written to.

    Example:
        >>> candidate = export.export_model("runs/mnist")
        >>> limits = export.Thresholds(minimum={"precision": 0.6})
        >>> validation = export.validate_model(candidate, "runs/mnist", limits=limits)
        >>> validation.infra_blessed
        True
    """
    limits = limits or Thresholds()
    digest = integrity.digest(candidate.path)
    card = model_card.read(candidate.path)
    asked = _make_probes(source, card["kind"])
    broken, differences, disagreements = _examine(candidate.path, asked, tolerance=tolerance)
    live = _find_live(source, against, card["name"])
    before, notes = _read_live_metrics(live)
    if card["kind"] == sources.DETECTOR and card["data"] and "detector" not in card["metrics"]:
        notes = [*notes, _NOT_EVALUATED]
    violated = limits.violations(metric_thresholds.read_metrics(card), before)
    training = card["training"]
    if training and training_record.failed(training["reason"]):
        violated.append(f"the run's training failed: {training['message']}")
    found = Validation(
        blessed=not (broken or disagreements or violated),
        infra_blessed=not broken,
        reasons=(*broken, *disagreements, *violated),
        differences=differences,
        notes=tuple(notes),
    )
    report = {
        "validated": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "digest": card["digest"],
        "files": digest,
        **dataclasses.asdict(found),
        "training": training,
        "tolerance": tolerance,
        "thresholds": dataclasses.asdict(limits),
        "live": None if live is None else int(live.name),
    }
    if integrity.digest(candidate.path) != digest:
        raise InputError(f"{candidate.directory}: expected files that stay as they are; export it again")
    candidate.bless(report)
    return found


def _make_probes(source: Source, kind: str) -> list[Probe]:
    if kind == sources.GENERATOR:
        return probes.for_generator(sources.load_generator(source))
    return probes.for_scoring_model(sources.load_scoring_model(source)[0])


def _examine(
    model: pathlib.Path, asked: list[Probe], *, tolerance: float
) -> tuple[list[str], dict[str, float], list[str]]:
    """Returns what is broken, each signature's difference from Keras, and where it is too large."""
    try:
        answers = fresh_process.answer(model, [(probe.signature, probe.inputs) for probe in asked])
    except fresh_process.FreshProcessError as error:
        return [f"a fresh process could not run it: {error}"], {}, []
    broken: list[str] = []
    differences: dict[str, float] = {}
    disagreements: list[str] = []
    for probe, answer in zip(asked, answers, strict=True):
        if isinstance(answer, str):
            broken.append(f"{probe.signature}: {answer}")
        elif (problem := probe.find_break(answer)) is not None:
            broken.append(problem)
        else:
            differences[probe.signature], reasons = probe.compare(answer, tolerance=tolerance)
            disagreements += reasons
    return broken, differences, disagreements


def _find_live(source: Source, against: str | os.PathLike[str] | None, name: str) -> pathlib.Path | None:
    """Returns the newest live version, which is the one that a server serves."""
    run = sources.as_run(source)
    if against is None and run is None:
        return None
    found = versions.find(sources.live_base(against, run) / name)
    return found[max(found)] if found else None


def _read_live_metrics(live: pathlib.Path | None) -> tuple[dict[str, float] | None, list[str]]:
    """Returns the metrics that changes are measured from, if there are any, and what to say of them."""
    if live is None:
        return None, []
    try:
        return metric_thresholds.read_metrics(model_card.read(live)), []
    except InputError as error:
        return None, [f"not compared with the live version: {error}"]
