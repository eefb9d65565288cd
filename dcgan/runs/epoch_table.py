"""The CSV files of `dcgan.callbacks.MetricsLog`: a row an epoch, numbers that read back exactly."""

import csv
import io
import os
import pathlib
from collections.abc import Sequence

from dcgan.system import files

Row = dict[str, str]


def read(path: str | os.PathLike[str]) -> tuple[list[Row], str | None]:
    """Reads a table, as far as it is whole.

    Args:
        path: The file; without it the table is empty.

    Returns:
        The rows that can be used, values as text, "" where there is none; and what is wrong with the
        first that cannot, None where nothing is.
    """
    if not pathlib.Path(path).is_file():
        return [], None
    text = pathlib.Path(path).read_bytes().decode("utf-8", errors="replace")
    header, *lines = [line.split(",") for line in text.splitlines()] or [[""]]
    if "epoch" not in header:
        return [], "expected a first line with the column epoch"
    rows, problem = [], None
    for number, line in enumerate(lines, 2):
        row = dict(zip(header, line, strict=False))
        if len(line) == len(header) and _is_row(row):
            rows.append(row)
        else:
            problem = problem or f"line {number}: expected the numbers of an epoch"
    return rows, problem


def write(path: str | os.PathLike[str], rows: Sequence[Row]) -> None:
    """Writes a table, whole or not at all.

    Args:
        path: The file.
        rows: The values as text; columns may come later.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    files.write_text(path, text.getvalue())


def _is_row(row: Row) -> bool:
    try:
        [float(value) for value in row.values() if value]
        return int(row["epoch"]) > 0
    except ValueError:
        return False
