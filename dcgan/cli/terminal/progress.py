"""Progress on standard error: bars on a terminal, elsewhere a line a minute that a log can keep."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

import rich.console
import rich.progress

from dcgan.system import progress as told_progress

MINUTE = 60.0
"""Seconds from one line to the next."""

_T = TypeVar("_T")


def make_console() -> rich.console.Console:
    """Returns standard error, for progress and for what is said beside it."""
    return rich.console.Console(stderr=True, markup=False, emoji=False)


def make_bars(
    console: rich.console.Console, *, width: int = 0, transient: bool = False
) -> rich.progress.Progress:
    """Makes bars with a description, the share that is done, the time taken and the time left.

    Args:
        console: Where to show them.
        width: Characters that a description takes at least. Defaults to 0.
        transient: Remove them in the end. Defaults to False.
    """
    return rich.progress.Progress(
        rich.progress.TextColumn(f"{{task.description:{width or ''}}}"),
        rich.progress.BarColumn(),
        rich.progress.TaskProgressColumn(),
        rich.progress.TimeElapsedColumn(),
        rich.progress.TextColumn("left"),
        rich.progress.TimeRemainingColumn(),
        console=console,
        transient=transient,
    )


class Parts:
    """Shows how far each part of a command has come.

    Use it as a context manager, and call it. On a terminal each part has a bar. Elsewhere a line a
    minute says the part that was told last, its share and the time left.

    Args:
        console: Where to show it.
    """

    def __init__(self, console: rich.console.Console) -> None:
        self._console = console
        self._bars = make_bars(console, width=16)
        self._tasks: dict[str, rich.progress.TaskID] = {}
        self._part, self._share, self._begun = "", 0.0, 0.0
        self._since = time.monotonic()
        self._lines = EachMinute(console, self.line)
        self._listening = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Starts to show it, and what `dcgan.system.progress` tells as well."""
        self._lines.__enter__()
        self._listening.enter_context(told_progress.listening(self.listen))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends it; bars stay where they are."""
        self._listening.close()
        self._lines.__exit__(kind, error, trace)
        self.end_bars()

    def end_bars(self) -> None:
        """Leaves the bars as they are, so that something else can be shown below."""
        if self._tasks:
            self._bars.stop()

    def __call__(self, part: str, share: float) -> None:
        """Takes the share of a part that is done, 0 to 1."""
        self.listen(part, share, 0.0)

    def listen(self, part: str, share: float, begun: float) -> None:
        """Takes the share that is done and the one with which the part began, 0 to 1."""
        if part != self._part:
            self._since = time.monotonic()
        self._part, self._share, self._begun = part, share, begun
        if not self._console.is_terminal:
            return
        # Only now: bars that were never shown would leave an empty line.
        self._bars.start()
        if part not in self._tasks:
            self._tasks[part] = self._bars.add_task(part, total=1 - begun)
        self._bars.update(self._tasks[part], completed=share - begun)

    def line(self) -> str:
        """Returns the part that was told last, its share and the time left; "" before any was told."""
        if not self._part:
            return ""
        elapsed, done = time.monotonic() - self._since, self._share - self._begun
        if done <= 0:
            return f"{self._part}: {self._share:.0%}, since {clock(elapsed)}"
        return f"{self._part}: {self._share:.0%}, {clock(elapsed * (1 - self._share) / done)} left"


class EachMinute:
    """Prints a line once a minute while the block runs, unless there is a terminal.

    Args:
        console: Where to.
        line: Returns what there is to say now; "" for nothing.
    """

    def __init__(self, console: rich.console.Console, line: Callable[[], str]) -> None:
        self._console, self._line = console, line
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        """Starts the minutes."""
        if not self._console.is_terminal:
            threading.Thread(target=self._print, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends them."""
        self._ended.set()

    def _print(self) -> None:
        while not self._ended.wait(MINUTE):
            if line := self._line():
                self._console.print(line, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def busy(part: str) -> Iterator[None]:
    """Says once a minute, where there is no terminal, that a part whose share is unknown goes on.

    Args:
        part: Its name.
    """
    since = time.monotonic()
    with EachMinute(make_console(), lambda: f"{part}: since {clock(time.monotonic() - since)}"):
        yield


def counted(rows: Iterable[_T], part: str) -> Iterator[_T]:
    """Yields rows; says once a minute, where there is no terminal, how many there were.

    Args:
        rows: The rows.
        part: What the line calls them.
    """
    count, since = 0, time.monotonic()
    line = lambda: f"{part}: {count:,}, since {clock(time.monotonic() - since)}"  # noqa: E731
    with EachMinute(make_console(), line):
        for row in rows:
            yield row
            count += 1


def clock(seconds: float) -> str:
    """Returns a time as hours, minutes and seconds, such as 0:01:30."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
