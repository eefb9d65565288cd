"""The code of the guides runs as it stands, with small presets and few pictures."""

import ast
import pathlib
import shlex

import pytest
import typer.main

import documents
from dcgan.cli import app

_NAMES = [path.stem for path in documents.GUIDES]


_PAGES = [
    documents.ROOT / "README.md",
    *sorted((documents.ROOT / "docs").glob("*.md")),
    *documents.GUIDES,
]
# Those with a test of their own.
_OTHERS = {"search", "serving"}


def _path(name):
    return documents.ROOT / "docs" / "guides" / f"{name}.md"


@pytest.mark.parametrize("name", _NAMES)
def test_a_page_opens_with_what_one_has_at_its_end(name):
    title, _, first = _path(name).read_text(encoding="utf-8").splitlines()[:3]
    assert title.startswith("# ")
    assert first.startswith("At the end of this page you ")


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_python_parses(page):
    for block in documents.blocks(page):
        if block.language == "python":
            ast.parse(block.text)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_commands_have_these_options(page):
    commands = [
        shlex.split(command.partition(" > ")[0], comments=True)[1:]
        for block in documents.blocks(page)
        if block.language == "sh"
        for line in documents.commands(block.text)
        for command in line.split(" && ")
        if command.startswith("dcgan ")
    ]
    for arguments in commands:
        _parse(typer.main.get_command(app.app), arguments)


def _parse(command, arguments):
    """Parses a command line without running it, also of commands that have commands of their own."""
    context = command.make_context("dcgan", list(arguments), resilient_parsing=False)
    if hasattr(command, "commands"):
        rest = [*context._protected_args, *context.args]
        _, inner, rest = command.resolve_command(context, rest)
        _parse(inner, rest)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in _NAMES if name not in _OTHERS])
def test_every_block_runs(name, reader, small_presets, quick_detector):
    reader.follow(_path(name))
    if name == "callbacks":
        assert len(reader.names["history"].history["val_colour_error"]) == 3
        assert sorted(path.name for path in pathlib.Path("sheets").iterdir()) == [
            *("1.png", "2.png", "3.png")
        ]


@pytest.mark.slow
def test_searching(reader, photos, small_presets):
    for number, path in enumerate(sorted(photos.iterdir())):
        part = photos / ("test" if number < 100 else "train")
        part.mkdir(exist_ok=True)
        path.rename(part / path.name)
    reader.replaced = {"--max-minutes 60": "--trials 2", "trials=4": "trials=1"}
    reader.follow(_path("search"))
