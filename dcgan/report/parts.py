"""Parts of a report: data that each command stores, from which the whole report is drawn anew."""

import hashlib
import importlib.metadata
import io
import json
import os
import pathlib
from typing import Any
from zipfile import BadZipFile

import numpy as np

from dcgan.errors import InputError
from dcgan.report import page
from dcgan.report.part import Part
from dcgan.runs.run_directory import RunDirectory
from dcgan.system import files

_FORMAT = 1


def publish(run: str | os.PathLike[str], *parts: Part) -> None:
    """Puts parts into a report, in place of those of the same names, and draws it anew.

    Each part is `report/NAME.json` and the arrays that it refers to. It appears whole or not at all.

    Args:
        run: The directory of the run or search.
        *parts: The parts.

    Raises:
        InputError: If the file of another part is damaged, or the report cannot be written.
        ValueError: If metrics or facts are no JSON values.

    Example:
        >>> metrics = {"configuration": dcgan.RunConfig().to_dict(), "versions": {}, "timings": {}}
        >>> facts = {"epochs": [], "curves": []}
        >>> part = dcgan.report.Part(name="run", template="run", metrics=metrics, facts=facts)
        >>> dcgan.report.publish("runs/mine", part)
        >>> pathlib.Path("runs/mine/report.html").is_file()
        True
    """
    run = RunDirectory(run)
    try:
        for part in parts:
            _save(run.report_parts, part)
        draw(run)
    except OSError as error:
        raise InputError(f"{run.path}: expected a directory to write to ({error})") from None


def draw(run: str | os.PathLike[str]) -> None:
    """Draws `report.json` and `report.html` from the stored parts, which may be an older version's.

    Args:
        run: The directory of the run or search.

    Raises:
        InputError: If there is no part, or one is damaged or has another format.

    Example:
        >>> dcgan.report.draw("runs/mnist")
    """
    run = RunDirectory(run)
    paths = sorted(run.report_parts.glob("[!.]*.json"))
    if not paths:
        raise InputError(f"{run.path}: expected a report to draw; dcgan evaluate {run.path} makes one")
    parts = sorted(map(_load, paths), key=lambda part: page.TEMPLATES.index(part.template))
    text = page.render(run.path.resolve().name, parts)
    files.write_text(run.report_json, _to_json({part.name: part.metrics for part in parts}))
    files.write_text(run.report_html, text)


def _save(directory: pathlib.Path, part: Part) -> None:
    """Writes the arrays under a name of their own first, so that the JSON file decides alone."""
    content = io.BytesIO()
    np.savez_compressed(content, **part.arrays)  # type: ignore[arg-type]
    arrays = f"{part.name}-{hashlib.sha256(content.getvalue()).hexdigest()[:16]}.npz"
    written_by = {"format": _FORMAT, "dcgan": importlib.metadata.version("dcgan")}
    text = _to_json({**written_by, **vars(part), "arrays": arrays})
    with files.write_atomically(directory / arrays) as temporary:
        temporary.write_bytes(content.getvalue())
    files.write_text(directory / f"{part.name}.json", text)
    for path in directory.glob(f"{part.name}-*.npz"):
        if path.name != arrays:
            path.unlink()


def _load(path: pathlib.Path) -> Part:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        found, version = fields.pop("format"), fields.pop("dcgan")
        if found == _FORMAT and fields["template"] in page.TEMPLATES:
            with np.load(path.with_name(fields.pop("arrays"))) as arrays:
                return Part(**fields, arrays=dict(arrays))
    except (OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, BadZipFile) as error:
        raise InputError(
            f"{path}: expected a part of a report; delete it and repeat its command ({error})"
        ) from None
    raise InputError(
        f"{path}: expected a part of a report that this version knows, but dcgan {version} wrote it in "
        f"format {found}; draw it with that version, or repeat its command with this one"
    )


def _to_json(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False) + "\n"
