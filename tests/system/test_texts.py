import json
import os

import pytest

from dcgan.system import texts

NAMES = [
    "plain 1.png",
    "fünf/五.png",
    "a\nreal  0.01.png",
    "\x1b[31mred\x1b[0m",
    "\x9b31m",
    "\u202egnp.exe",
    "a\u2028b\u2029c\x85d",
    os.fsdecode(b"caf\xe9.png"),
    "tab\tand\rreturn",
    'quo"te\\',
    "\U000e0001",
]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_cannot_act_on_a_terminal(name):
    shown = texts.printable(name)
    assert shown.isprintable()
    assert len(shown.splitlines()) == 1
    shown.encode()


def test_what_is_shown_can_be_recognized():
    assert texts.printable(NAMES[0]) == NAMES[0]
    assert texts.printable(NAMES[1]) == NAMES[1]
    assert texts.printable(NAMES[2]) == r"a\nreal  0.01.png"
    assert texts.printable(NAMES[3]) == r"\x1b[31mred\x1b[0m"
    assert texts.printable(NAMES[7]) == r"caf\xe9.png"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("only_ascii", [False, True])
def test_json_keeps_every_byte_of_a_name(name, only_ascii):
    line = texts.to_json({"file": name}, only_ascii=only_ascii)
    assert line.isprintable()
    assert line.isascii() or not only_ascii
    found = json.loads(line.encode().decode())["file"]
    assert os.fsencode(found) == os.fsencode(name)


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", " =1"])
def test_no_cell_is_a_formula(text):
    cell = texts.to_cell(text)
    assert cell[0] == "'"
    assert cell.isprintable()


def test_other_cells_stay():
    assert texts.to_cell("a=b.png") == "a=b.png"
    assert texts.to_cell("") == ""
