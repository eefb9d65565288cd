"""Standard output for tables."""

import sys

import rich.console

# Wider than any table.
_UNLIMITED = 100_000


def output() -> rich.console.Console:
    """Returns standard output; in a pipe or a file, lines are as long as what they say."""
    width = None if sys.stdout.isatty() else _UNLIMITED
    return rich.console.Console(markup=False, emoji=False, width=width)
