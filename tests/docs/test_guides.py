"""The code of the guides runs as it stands, with small presets and few pictures."""

import pathlib

import pytest

import pages

_NAMES = [path.stem for path in pages.GUIDES]
# Those with a test of their own.
_OTHERS = {"serving"}


@pytest.mark.parametrize("name", [name for name in _NAMES if name not in _OTHERS])
def test_every_block_runs(name, reader, small_presets, quick_detector):
    reader.follow(pages.ROOT / "docs" / "guides" / f"{name}.md")


@pytest.mark.parametrize("name", _NAMES)
def test_a_page_opens_with_what_one_has_at_its_end(name):
    text = (pages.ROOT / "docs" / "guides" / f"{name}.md").read_text(encoding="utf-8")
    title, _, first = text.splitlines()[:3]
    assert title.startswith("# ")
    assert first.startswith("At the end of this page you ")


def test_what_callbacks_leave(reader, small_presets):
    reader.follow(pages.ROOT / "docs" / "guides" / "callbacks.md")
    history = reader.names["history"].history
    assert len(history["val_colour_error"]) == 3
    assert sorted(path.name for path in pathlib.Path("sheets").iterdir()) == ["1.png", "2.png", "3.png"]
