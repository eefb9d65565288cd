import contextlib
import io
import threading
import types

import pytest
import rich.console

from dcgan.cli.terminal import progress, training_progress
from dcgan.system import progress as told_progress


class _Clock:
    """A clock that tests move on."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(progress, "time", types.SimpleNamespace(monotonic=lambda: self.now))

    def move(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    return _Clock(monkeypatch)


def _console(*, is_terminal):
    return rich.console.Console(file=io.StringIO(), force_terminal=is_terminal, width=100)


def test_a_line_says_part_share_and_time_left(clock):
    parts = progress.Parts(_console(is_terminal=False))
    assert parts.line() == ""
    parts("fakes", 0.0)
    clock.move(30)
    assert parts.line() == "fakes: 0%, since 0:00:30"
    parts("fakes", 0.25)
    assert parts.line() == "fakes: 25%, 0:01:30 left"
    parts("detector", 0.0)
    clock.move(10)
    parts("detector", 0.1)
    assert parts.line() == "detector: 10%, 0:01:30 left"


def test_what_was_done_before_is_no_measure_of_speed(clock):
    parts = progress.Parts(_console(is_terminal=False))
    parts.listen("caching", 0.5, 0.5)
    clock.move(60)
    parts.listen("caching", 0.75, 0.5)
    assert parts.line() == "caching: 75%, 0:01:00 left"


def test_lines_come_by_themselves_and_end(monkeypatch):
    monkeypatch.setattr(progress, "MINUTE", 0.001)
    said, twice = [], threading.Event()

    def line():
        said.append(1)
        if len(said) == 2:
            twice.set()
        return "here"

    console = _console(is_terminal=False)
    with progress.EachMinute(console, line):
        assert twice.wait(30)
    assert console.file.getvalue().startswith("here\n")


def test_a_terminal_has_bars_and_no_lines(monkeypatch):
    monkeypatch.setattr(progress, "MINUTE", 0.001)
    console = _console(is_terminal=True)
    with progress.EachMinute(console, lambda: pytest.fail("a line")):
        pass
    with progress.Parts(console):
        told_progress.report("caching", 0.5)
        told_progress.report("caching", 1.0)
    assert "caching" in console.file.getvalue()
    assert "100%" in console.file.getvalue()


def test_nobody_listens_after_the_block():
    console = _console(is_terminal=True)
    with progress.Parts(console):
        pass
    told_progress.report("caching", 0.5)
    assert "caching" not in console.file.getvalue()


def test_training_tells_its_share(clock):
    console = _console(is_terminal=False)
    parts = progress.Parts(console)
    bar = training_progress.TrainingProgress(console, lines=parts)
    bar.set_params({"epochs": 4, "steps": 5})
    bar.on_train_begin()
    bar.on_epoch_begin(2)
    bar.on_train_batch_end(0)
    clock.move(60)
    bar.on_train_batch_end(4)
    assert parts.line() == "training: 75%, 0:01:00 left"


def test_rows_are_counted(monkeypatch):
    lines = []

    def each_minute(console, line):
        lines.append(line)
        return contextlib.nullcontext()

    monkeypatch.setattr(progress, "EachMinute", each_minute)
    rows = progress.counted(iter("abc"), "scored")
    assert [next(rows), next(rows), next(rows)] == ["a", "b", "c"]
    assert lines[0]() == "scored: 2, since 0:00:00"
