import csv
import dataclasses
import io
import json
import os
import sys

import numpy as np
import pytest

from dcgan import scoring
from dcgan.cli import score_output


@pytest.fixture
def rows():
    outputs = {
        "p_fake": [0.9, 0.5, 0.52, np.nan],
        "decision": ["fake", "unsure", "unsure", "error"],
        "familiarity": [0.75, 0.25, 0.002, np.nan],
        "discriminator_logit": [-1.5, 0.0, 9.0, np.nan],
        "error": ["", "", "", "no image"],
    }
    return list(scoring.to_rows(["a", "b", "c", "d"], outputs))


def test_rows_say_why_they_are_unsure(rows):
    assert [row.reason for row in rows] == [None, "uncertain", "unfamiliar", None]
    assert [row.familiarity for row in rows] == [0.75, 0.25, 0.002, None]


def test_table(rows, capsys):
    score_output.write(rows, "table")
    output, errors = capsys.readouterr()
    assert output.splitlines() == [
        " p_fake  decision  familiar     logit  file",
        " 0.9000  fake         0.750    -1.500  a",
        " 0.5000  unsure       0.250     0.000  b",
        " 0.5200  unsure       0.002     9.000  c: unlike the images this detector was made for",
        "      -  error            -         -  d: no image",
    ]
    assert errors == "1 of 3 images is unlike those that this detector was made for\n"


@pytest.mark.parametrize("output", ["table", "csv", "jsonl"])
def test_no_last_line_where_all_images_are_familiar(rows, output, capsys):
    score_output.write([rows[0], rows[1], rows[3]], output)
    assert capsys.readouterr().err == ""


def test_several_unfamiliar_images_are_counted(rows, capsys):
    score_output.write(1_500 * [rows[2]], "csv")
    assert capsys.readouterr().err == (
        "1,500 of 1,500 images are unlike those that this detector was made for\n"
    )


def test_csv_and_json_lines_hold_every_field(rows, capsys):
    score_output.write(rows, "csv")
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    score_output.write(rows, "jsonl")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for given, found, line in zip(rows, table, lines, strict=True):
        assert found == {
            name: "" if value is None else str(value) for name, value in vars(given).items()
        }
        assert line == vars(given)


HOSTILE = [
    "a.png\n 0.0100  real         1.000     9.000  forged.png",
    "\x1b[2J\x1b[31m.png",
    '=HYPERLINK("http://x").png',
    os.fsdecode(b"caf\xe9\r.png"),
    "\u2028\u202e五.png",
]


@pytest.fixture
def hostile(rows):
    """Rows, some of them errors, of files with hostile names."""
    return [
        *(dataclasses.replace(rows[0], file=name) for name in HOSTILE),
        *(scoring.Row.unread(name, f"no image {name}") for name in HOSTILE),
    ]


@pytest.mark.parametrize("output", ["table", "csv", "jsonl"])
def test_every_row_is_one_line_that_only_shows(hostile, output, capsys):
    score_output.write(hostile, output)
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert len(lines) == len(hostile) + (output != "jsonl")
    assert all(line.isprintable() for line in lines)
    assert text == "".join(f"{line}\n" for line in lines)


def test_json_lines_keep_names_to_the_byte(hostile, capsys):
    score_output.write(hostile, "jsonl")
    found = [json.loads(line)["file"] for line in capsys.readouterr().out.split("\n")[:-1]]
    assert list(map(os.fsencode, found)) == [os.fsencode(row.file) for row in hostile]


def test_csv_has_no_formulas(hostile, capsys):
    score_output.write(hostile, "csv")
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert table[2]["file"] == "'" + HOSTILE[2]
    assert table[0]["discriminator_logit"] == "-1.5"


@pytest.mark.parametrize("output", ["table", "csv", "jsonl"])
def test_a_terminal_that_knows_only_ascii(rows, output, monkeypatch):
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, "ascii", errors="backslashreplace")
    monkeypatch.setattr(sys, "stdout", stream)
    score_output.write([dataclasses.replace(rows[0], file="五.png")], output)
    stream.flush()
    last = written.getvalue().decode().splitlines()[-1]
    assert r"\u4e94.png" in last
    assert output != "jsonl" or json.loads(last)["file"] == "五.png"
