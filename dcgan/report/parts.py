"""The report of a run: one JSON file and one HTML page, made of parts that are renewed apart."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from dcgan import files
from dcgan.errors import InputError
from dcgan.report import page
from dcgan.report.page import Section
from dcgan.runs.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """What one command has to report of a run.

    Attributes:
        name: Its key in `report.json`, such as "evaluation".
        rank: Parts of lower rank stand further up.
        figures: What `report.json` holds under the name; values that JSON has, finite floats.
        sections: What `report.html` shows, in this order.
    """

    name: str
    rank: int
    figures: Mapping[str, Any]
    sections: Sequence[Section]


def publish(run: RunDirectory, *parts: Part) -> None:
    """Puts parts into a run's report, in place of those of the same names if there are such.

    Parts are kept in `report/`, one file each, from which the whole report is written anew.

    Args:
        run: The run.
        *parts: The parts.

    Raises:
        InputError: If the file of another part is damaged, or the report cannot be written.
        ValueError: If the figures are no JSON values.

    Example:
        >>> scores = Section("Detector", markup.paragraph("AUROC 0.99"))
        >>> publish(run, Part(name="detector", rank=1, figures={"auroc": 0.99}, sections=[scores]))
    """
    try:
        for part in parts:
            files.write_text(_file(run, part.name), _to_json(dataclasses.asdict(part)))
        everything = sorted(read_parts(run), key=lambda part: (part.rank, part.name))
        figures = {part.name: part.figures for part in everything}
        sections = [section for part in everything for section in part.sections]
        files.write_text(run.report_json, _to_json(figures))
        files.write_text(run.report_html, page.render(_title(run), sections))
    except OSError as error:
        raise InputError(f"{run.path}: expected a directory to write to ({error})") from None


def read_parts(run: RunDirectory) -> list[Part]:
    """Reads all parts of a run's report.

    Args:
        run: The run.

    Raises:
        InputError: If a file is damaged.
    """
    return [_read(path) for path in sorted(run.report_parts.glob("*.json"))]


def _read(path: pathlib.Path) -> Part:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        sections = [Section(**section) for section in fields.pop("sections")]
        return Part(**fields, sections=sections)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path}: expected a part of a report, delete it and call its command again ({error})"
        ) from None


def _file(run: RunDirectory, name: str) -> pathlib.Path:
    return run.report_parts / f"{name}.json"


def _title(run: RunDirectory) -> str:
    return f"Run {run.path.resolve().name}: report"


def _to_json(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False) + "\n"
