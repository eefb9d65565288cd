import signal
import sys
import time

import pytest

from dcgan.cli.terminal import interrupts


@pytest.fixture(autouse=True)
def _python_is_interrupted():
    """As in a terminal; a process in the background may have been told to ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Interrupted:
    """Is interrupted as it is finalised, for the given number of times."""

    def __init__(self, times):
        self._times = times

    def __del__(self):
        if self._times > 1:
            Interrupted(self._times - 1)
        signal.raise_signal(signal.SIGINT)


def work(times):
    with interrupts.arriving():
        Interrupted(times)
        for _ in range(1000):
            time.sleep(0.01)


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_within_a_finaliser_arrives(times, capsys):
    before = sys.unraisablehook
    with pytest.raises(KeyboardInterrupt):
        work(times)
    assert sys.unraisablehook is before
    assert "Exception ignored" not in capsys.readouterr().err


def test_other_errors_of_finalisers_are_reported_as_before(monkeypatch):
    class Broken:
        def __del__(self):
            raise ZeroDivisionError

    seen = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)
    with interrupts.arriving():
        Broken()
    assert [report.exc_type for report in seen] == [ZeroDivisionError]
