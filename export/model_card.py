"""The model card that travels with a version: what it is, how good, and made of what."""

import dataclasses
import datetime
import importlib.metadata
import json
import math
import pathlib
import platform
from collections.abc import Iterator
from typing import Any

from dcgan.detector.threshold import Calibration
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory

FILE = "assets.extra/model_card.json"
_PACKAGES = ("dcgan", "tensorflow", "keras", "numpy")
_CONDITION = "histogram-matched"


def make(
    *,
    name: str,
    kind: str,
    calibration: Calibration | None,
    max_pixels: int | None,
    run: RunDirectory | None,
) -> dict[str, Any]:
    """Gathers what is known of a model before it is written.

    Args:
        name: The name that it is served under.
        kind: "detector", "discriminator" or "generator".
        calibration: Thresholds and what they promise, or None.
        max_pixels: Limit on encoded images, or None if it takes none.
        run: Where it comes from, or None.

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
        InputError: If it has none or it is damaged.
    """
    path = model / FILE
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected a model card ({error})") from None
    if not isinstance(card, dict):
        raise InputError(f"{path}: expected a model card")
    return card


def render(card: dict[str, Any]) -> str:
    """Writes a card as Markdown.

    Args:
        card: What `make` returned, with `digest` and `signatures`.
    """
    return "\n".join(_lines(card)) + "\n"


def _describe_run(run: RunDirectory | None) -> dict[str, Any]:
    """Returns data, configuration and metrics; of a model without a run, none of them."""
    if run is None:
        return {"data": None, "configuration": None, "metrics": {}}
    config = run.load_config()
    rows = run.read_metrics()
    last = {name: value for name, value in rows[-1].items() if math.isfinite(value)} if rows else {}
    return {
        "data": {"name": pathlib.Path(config.data).name, "split": config.split},
        "configuration": dataclasses.asdict(config) | {"data": pathlib.Path(config.data).name},
        "metrics": {"last_epoch": last, **_read_report(run.report_json)},
    }


def _read_report(path: pathlib.Path) -> dict[str, Any]:
    """Returns the figures of evaluations, of which a run may have none."""
    if not path.is_file():
        return {}
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        return {name: figures[name] for name in ("evaluation", "detector") if name in figures}
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: expected a run's report ({error})") from None


def _lines(card: dict[str, Any]) -> Iterator[str]:
    yield f"# {card['name']}"
    yield ""
    yield _introduction(card)
    yield ""
    data = card["data"]
    if data:
        yield f"- Data: {data['name']}, split {data['split']}"
    yield f"- Created: {card['created']}"
    yield f"- Digest of weights and signatures: `{card['digest']}`"
    yield "- Made with: " + ", ".join(f"{name} {text}" for name, text in card["versions"].items())
    if card["max_pixels"]:
        yield f"- Encoded images of more than {card['max_pixels']:,} pixels are refused."
    yield from _calibration_lines(card["calibration"])
    yield from _metric_lines(card["metrics"])
    yield from _signature_lines(card["signatures"])


def _introduction(card: dict[str, Any]) -> str:
    if card["kind"] == "generator":
        return "Draws images: `latents`, standard normal, become `images`, uint8."
    text = "Tells generated images from real ones: `p_fake`, `decision` and `discriminator_logit`."
    if card["calibrated"]:
        return text
    return (
        f"{text} **Uncalibrated**: `p_fake` orders images but is no probability, and there is no bound "
        f"on the share of reals that are called fake. Made of the run's {card['kind']}."
    )


def _calibration_lines(calibration: dict[str, Any] | None) -> Iterator[str]:
    if calibration is not None:
        yield from ("", "## Calibration", "")
        yield from (f"- {name}: {value:.6g}" for name, value in calibration.items())


def _metric_lines(metrics: dict[str, Any]) -> Iterator[str]:
    rows = [*_sample_rows(metrics.get("evaluation", {})), *_detector_rows(metrics.get("detector", {}))]
    if rows:
        yield from ("", "## Metrics", "", "| metric | value | floor or 95 % interval |", "|---|---|---|")
        yield from rows


def _sample_rows(evaluation: dict[str, Any]) -> Iterator[str]:
    for name, score in evaluation.get("scores", {}).items():
        floor = score.get("floor")
        shown = "" if floor is None else f"{floor:.4g}"
        yield f"| samples: {name} | {score['value']:.4g} | {shown} |"


def _detector_rows(report: dict[str, Any]) -> Iterator[str]:
    for generator, row in report.get("detector", {}).get(_CONDITION, {}).items():
        low, high = row["auroc_interval"]
        yield f"| AUROC, {_CONDITION} {generator} | {row['auroc']:.3f} | {low:.3f} to {high:.3f} |"
    alarms = report.get("false_positives")
    if alarms:
        low, high = alarms.get("interval", (None, None))
        shown = "" if low is None else f"{low:.2%} to {high:.2%} expected"
        yield f"| reals called fake | {alarms['realised']:.2%} | {shown} |"


def _signature_lines(signatures: dict[str, Any]) -> Iterator[str]:
    yield from ("", "## Signatures", "", "| name | inputs | outputs |", "|---|---|---|")
    for name, signature in signatures.items():
        inputs, outputs = (_tensors(signature[side]) for side in ("inputs", "outputs"))
        yield f"| `{name}` | {inputs} | {outputs} |"


def _tensors(tensors: dict[str, Any]) -> str:
    shapes = {
        name: ", ".join("any" if length is None else str(length) for length in tensor["shape"])
        for name, tensor in tensors.items()
    }
    return "; ".join(f"`{name}` {tensors[name]['dtype']} ({shape})" for name, shape in shapes.items())
