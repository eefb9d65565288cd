"""The model card that travels with a version: what it is, how good, and made from what."""

import dataclasses
import datetime
import importlib.metadata
import math
import pathlib
import platform
from collections.abc import Iterator
from typing import Any

from dcgan.detector import certificate, detector_files
from dcgan.detector.threshold import Calibration
from dcgan.runs import checkpoint_files, training_record
from dcgan.runs.run_directory import RunDirectory
from dcgan.scoring import UNFAMILIAR
from dcgan.system import files

_PACKAGES = ("dcgan", "tensorflow", "keras", "numpy")


def make(
    *,
    name: str,
    kind: str,
    run: RunDirectory | None,
    calibration: Calibration | None = None,
    max_pixels: int | None = None,
) -> dict[str, Any]:
    """Gathers what is known about a model before it is written.

    Args:
        name: The name it is served under.
        kind: "detector", "discriminator" or "generator".
        run: Where it comes from, or None.
        calibration: Its thresholds and what they promise. Defaults to None.
        max_pixels: Limit on encoded images. Defaults to None, for a model that takes none.

    Returns:
        JSON values.

    Raises:
        InputError: If a file of the run is damaged.
    """
    return {
        "name": name,
        "kind": kind,
        "calibrated": calibration is not None,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "calibration": None if calibration is None else dataclasses.asdict(calibration),
        "max_pixels": max_pixels,
        **_describe_run(run),
        "training": None if run is None else _describe_training(run, kind),
        "versions": {
            "python": platform.python_version(),
            **{package: importlib.metadata.version(package) for package in _PACKAGES},
        },
    }


def read(model: pathlib.Path) -> dict[str, Any]:
    """Reads the card of a SavedModel.

    Args:
        model: The SavedModel's directory.

    Raises:
        InputError: If there is no card or it is damaged.
    """
    return files.read_json(model / "assets.extra" / "model_card.json", "a model card")


def render(card: dict[str, Any]) -> str:
    """Writes a card as Markdown.

    Args:
        card: What `make` returned, with `digest` and `signatures`.
    """
    return "\n".join(_lines(card)) + "\n"


def _describe_run(run: RunDirectory | None) -> dict[str, Any]:
    """Returns a run's data, configuration and metrics; nothing for a model without a run."""
    if run is None:
        return {"data": None, "configuration": None, "metrics": {}}
    config = run.load_config()
    rows = run.read_metrics()
    last = {name: value for name, value in rows[-1].items() if math.isfinite(value)} if rows else {}
    measured = {
        "evaluation": _load_evaluation(run),
        "detector": detector_files.DetectorFiles(run).load_report(),
    }
    data = pathlib.Path(config.data).name
    return {
        "data": {"name": data, "split": config.split},
        "configuration": dataclasses.asdict(config) | {"data": data},
        "metrics": {"last_epoch": last, **{name: part for name, part in measured.items() if part}},
    }


def _load_evaluation(run: RunDirectory) -> dict[str, Any]:
    """Reads what the report says of the samples; nothing if training went on since."""
    if not run.report_json.is_file():
        return {}
    evaluation: dict[str, Any] = files.read_json(run.report_json, "a run's report").get("evaluation", {})
    return evaluation if evaluation.get("epochs") == run.trained().epochs else {}


def _describe_training(run: RunDirectory, kind: str) -> dict[str, Any] | None:
    """Returns how the training behind a model ended; a detector's is that of when it was fitted."""
    fitted_on = detector_files.DetectorFiles(run).training
    if kind == "detector" and fitted_on.is_file():
        return files.read_json(fitted_on, "how training had ended") or None
    has_model = run.model.is_file() or checkpoint_files.list_all(run.checkpoints)
    return run.trained().describe() if has_model else None


def _front_matter(card: dict[str, Any]) -> Iterator[str]:
    """What a hub of models reads at the head of a card: of which kind and library a model is."""
    generates = card["kind"] == "generator"
    task = "unconditional-image-generation" if generates else "image-classification"
    yield from ("---", "library_name: tensorflow", f"pipeline_tag: {task}", "tags:")
    yield from (f"- {tag}" for tag in ("dcgan", "saved-model", "tf-serving", card["kind"]))
    yield from ("---", "")


def _lines(card: dict[str, Any]) -> Iterator[str]:
    yield from _front_matter(card)
    yield from (f"# {card['name']}", "", _introduction(card), "")
    if data := card["data"]:
        yield f"- Data: {data['name']}, split {data['split']}"
    if training := card["training"]:
        end = "" if training["reason"] == training_record.FINISHED else f": {training['message']}"
        yield f"- Trained for {training['epochs']} of {training['planned']} epochs{end}"
    yield f"- Created: {card['created']}"
    yield f"- Digest of weights and signatures: `{card['digest']}`"
    yield "- Made with: " + ", ".join(f"{name} {text}" for name, text in card["versions"].items())
    if card["max_pixels"]:
        yield f"- Encoded images of more than {card['max_pixels']:,} pixels are refused."
    if card["calibration"]:
        yield from ("", "## Calibration", "", *_calibration(Calibration(**card["calibration"])))
    metrics = card["metrics"]
    headline = metrics.get("detector", {}).get("headline")
    if card["kind"] == "detector" and not headline:
        yield from ("", "## What to expect", "")
        yield "- **Nothing is known**: it was not evaluated, or has been changed since."
    elif headline:
        yield from ("", "## What to expect", "")
        yield from (f"- **{text}**" for text in headline["warnings"])
        yield from (f"- {text}" for text in headline["sentences"])
    rows = [*_sample_rows(metrics.get("evaluation", {})), *_detector_rows(metrics.get("detector", {}))]
    if rows:
        yield from (
            "",
            "## Metrics",
            "",
            "| metric | value | floor, worst or 95 % interval |",
            "|---|---|---|",
        )
        yield from rows
    yield from ("", "## Signatures", "", "| name | inputs | outputs |", "|---|---|---|")
    for name, signature in card["signatures"].items():
        yield f"| `{name}` | {_tensors(signature['inputs'])} | {_tensors(signature['outputs'])} |"


def _introduction(card: dict[str, Any]) -> str:
    if card["kind"] == "generator":
        signature = card["signatures"]["serving_default"]
        labels = " and `labels`, the numbers of classes," if "labels" in signature["inputs"] else ""
        return f"Draws images: `latents`, standard normal,{labels} become `images`, uint8."
    text = (
        "Tells generated images from real ones: `p_fake`, `decision`, `familiarity` and "
        "`discriminator_logit`."
    )
    if card["calibrated"]:
        return (
            f"{text} The decision on an image unlike the reals and fakes that it was made for, with a "
            f"`familiarity` below {UNFAMILIAR:g}, is `unsure`."
        )
    return (
        f"{text} **Uncalibrated**: `p_fake` ranks images but is not a probability, and the false "
        f"positive rate has no bound. Made from the run's {card['kind']}."
    )


def _sample_rows(evaluation: dict[str, Any]) -> Iterator[str]:
    for name, score in evaluation.get("scores", {}).items():
        floor = score.get("floor")
        shown = "" if floor is None else f"{floor:.4g}"
        yield f"| samples: {name} | {score['value']:.4g} | {shown} |"


def _calibration(calibration: Calibration) -> Iterator[str]:
    promise = certificate.describe(calibration)
    yield f"- {promise[0].upper()}{promise[1:]}. Nothing is promised of other images or deliveries."
    yield f"- Deliveries: {'; '.join(calibration.deliveries)}"
    for name, value in dataclasses.asdict(calibration).items():
        if name != "deliveries":
            yield f"- {name}: {value:.6g}"


def _detector_rows(report: dict[str, Any]) -> Iterator[str]:
    for generator, row in report.get("generators", {}).items():
        worst = f"{row['worst_auroc']:.3f} under {row['worst_delivery']}"
        yield f"| AUROC, mean over deliveries, {generator} | {row['mean_auroc']:.3f} | worst: {worst} |"
    if alarms := report.get("false_positives"):
        low, high = alarms.get("interval", (None, None))
        shown = "" if low is None else f"{low:.2%} to {high:.2%} expected at most"
        yield f"| reals called fake, {alarms['worst_delivery']} | {alarms['worst']:.2%} | {shown} |"


def _tensors(tensors: dict[str, Any]) -> str:
    return "; ".join(
        f"`{name}` {tensor['dtype']} ("
        + ", ".join("any" if length is None else str(length) for length in tensor["shape"])
        + ")"
        for name, tensor in tensors.items()
    )
