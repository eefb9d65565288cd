import csv
import io
import json

import numpy as np
import pytest

from dcgan import scoring
from dcgan.cli import score


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
    score._print(rows, "table")
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
    score._print([rows[0], rows[1], rows[3]], output)
    assert capsys.readouterr().err == ""


def test_several_unfamiliar_images_are_counted(rows, capsys):
    score._print(1_500 * [rows[2]], "csv")
    assert capsys.readouterr().err == (
        "1,500 of 1,500 images are unlike those that this detector was made for\n"
    )


def test_csv_and_json_lines_hold_every_field(rows, capsys):
    score._print(rows, "csv")
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    score._print(rows, "jsonl")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for given, found, line in zip(rows, table, lines, strict=True):
        assert found == {
            name: "" if value is None else str(value) for name, value in vars(given).items()
        }
        assert line == vars(given)
