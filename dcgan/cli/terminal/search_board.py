"""A live table of a search's best trials, with the time left."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import rich.console
import rich.live
import rich.table

from dcgan.cli.terminal import progress
from tuning import oracles, trial_records
from tuning.search_config import Budget, SearchConfig
from tuning.space import Space
from tuning.trial_records import TrialRecord

_SHOWN = 8
_COLUMNS = 6


class Leaders:
    """Shows a search's best trials; without a terminal, prints a line for each trial and each minute.

    Args:
        console: Where to show them.
        config: The search.
        space: What it may change.
        budget: When it ends.
    """

    def __init__(
        self, console: rich.console.Console, config: SearchConfig, space: Space, budget: Budget
    ) -> None:
        self._console = console
        self._config = config
        self._names = [name for name, parameter in space.parameters.items() if not parameter.fixed]
        self._minutes = budget.minutes
        self._epochs = oracles.planned_epochs(config, budget.for_algorithm(config.algorithm))
        self._ended: Sequence[TrialRecord] = ()
        self._since = time.time()
        self._lines = progress.EachMinute(console, self._headline)
        self._live = rich.live.Live(
            console=console, get_renderable=self.table, refresh_per_second=1, transient=True
        )

    def __enter__(self) -> Self:
        """Starts the live table."""
        self._lines.__enter__()
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Removes the table."""
        self._lines.__exit__(kind, error, trace)
        self._live.stop()

    def show(self, ended: Sequence[TrialRecord]) -> None:
        """Updates the table.

        Args:
            ended: The trials that have ended, in the order in which they did.
        """
        for record in ended[len(self._ended) :]:
            if not self._console.is_terminal:
                self._console.print(_line(record), highlight=False, soft_wrap=True)
        self._ended = ended
        self._since = time.time()

    def table(self) -> rich.table.Table:
        """Returns a table of the best trials under a line of progress."""
        ranked = trial_records.rank(self._ended, direction=self._config.direction)[:_SHOWN]
        names = self._varied(ranked)
        table = rich.table.Table(
            "trial",
            self._config.objective,
            "epochs",
            *names,
            title=self._headline(),
            title_justify="left",
        )
        for record in ranked:
            values = [_show(record.values.get(name, "-")) for name in names]
            table.add_row(record.trial, f"{record.score:.4g}", f"{record.epochs:g}", *values)
        return table

    def left(self) -> float | None:
        """Estimates the seconds left; None as long as that is unknown."""
        elapsed = self._elapsed()
        if self._minutes is not None:
            return max(0.0, 60 * self._minutes - elapsed)
        done = sum(record.epochs - record.first_epoch for record in self._ended)
        if self._epochs is None or not done:
            return None
        return max(0.0, (self._epochs - done) * elapsed / done)

    def _elapsed(self) -> float:
        before = max((record.elapsed for record in self._ended), default=0.0)
        return before + time.time() - self._since

    def _headline(self) -> str:
        failed = sum(record.failed for record in self._ended)
        left = self.left()
        rest = "" if left is None else f", {progress.clock(left)} left"
        return f"{len(self._ended)} trials, {failed} failed, {progress.clock(self._elapsed())}{rest}"

    def _varied(self, ranked: Sequence[TrialRecord]) -> list[str]:
        """Returns the hyper-parameters to show: as many as fit."""
        room = max(1, (self._console.width - 50) // 16)
        shown = [name for name in self._names if any(name in record.values for record in ranked)]
        return shown[: min(room, _COLUMNS)]


def _line(record: TrialRecord) -> str:
    reason = f"  {record.reason}" if record.reason else ""
    score = "-" if record.failed else f"{record.score:.4g}"
    return f"trial {record.trial}  {record.status}  {score}  epochs {record.epochs:g}{reason}"


def _show(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value) or "none"
