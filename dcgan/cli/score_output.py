"""Rows on standard output, whatever the files are called."""

import csv
import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import typer

from dcgan.errors import InputError
from dcgan.system import texts

if TYPE_CHECKING:
    from dcgan.scoring import Row


def write(rows: "Iterable[Row]", output: str) -> None:
    """Writes rows as they come.

    Args:
        rows: What was scored.
        output: One of `FORMATS`.

    Raises:
        InputError: If there are no rows.
        typer.Exit: With code 1 if nothing could be scored.
    """
    counts = {"read": 0, "error": 0, "unfamiliar": 0}

    def counted() -> "Iterator[Row]":
        for row in rows:
            counts["error" if row.error else "read"] += 1
            counts["unfamiliar"] += row.is_unfamiliar
            yield row

    FORMATS[output](counted())
    if count := counts["unfamiliar"]:
        verb = "is" if count == 1 else "are"
        share = f"{count:,} of {counts['read']:,} images {verb}"
        typer.echo(f"{share} unlike those that this detector was made for", err=True)
    if not counts["read"]:
        if not counts["error"]:
            raise InputError("files: expected images, found none")
        raise typer.Exit(1)


def _write_table(rows: "Iterable[Row]") -> None:
    print(f"{'p_fake':>7}  {'decision':8}  {'familiar':>8}  {'logit':>8}  file")
    for row in rows:
        file, decision = texts.printable(row.file), texts.printable(row.decision)
        if row.error:
            error = texts.printable(row.error)
            print(f"{'-':>7}  {decision:8}  {'-':>8}  {'-':>8}  {file}: {error}")
            continue
        numbers = f"{row.familiarity:8.3f}  {row.discriminator_logit:8.3f}"
        note = ": unlike the images this detector was made for" if row.is_unfamiliar else ""
        print(f"{row.p_fake:7.4f}  {decision:8}  {numbers}  {file}{note}")


def _write_jsonl(rows: "Iterable[Row]") -> None:
    only_ascii = not (sys.stdout.encoding or "").lower().startswith("utf")
    for row in rows:
        print(texts.to_json(dataclasses.asdict(row), only_ascii=only_ascii))


def _write_csv(rows: "Iterable[Row]") -> None:
    from dcgan import scoring

    fields = [field.name for field in dataclasses.fields(scoring.Row)]
    writer = csv.DictWriter(sys.stdout, fields, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        values = dataclasses.asdict(row)
        writer.writerow(
            {name: texts.to_cell(v) if isinstance(v, str) else v for name, v in values.items()}
        )


FORMATS: "dict[str, Callable[[Iterable[Row]], None]]" = {
    "table": _write_table,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}
"""What writes rows, by the name of the format."""
