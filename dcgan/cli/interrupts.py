"""Ctrl-C that always arrives."""

import _thread
import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

# Seconds by which a finaliser is over.
_LATER = 0.05


@contextlib.contextmanager
def arriving() -> Iterator[None]:
    """Makes sure that an interrupt ends the block.

    Python raises `KeyboardInterrupt` wherever the program happens to be. In a finaliser or in a callback
    of a weak reference it is reported and dropped, and the program goes on. Here it is raised once more.
    """
    former = sys.unraisablehook
    again = threading.Timer(0, _thread.interrupt_main)

    def report(dropped: Any) -> None:
        nonlocal again
        if dropped.exc_type is not KeyboardInterrupt:
            return former(dropped)
        # Not at once, which would be within the finaliser still.
        again.cancel()
        again = threading.Timer(_LATER, _thread.interrupt_main)
        again.daemon = True
        again.start()
        return None

    sys.unraisablehook = report
    try:
        yield
    finally:
        again.cancel()
        sys.unraisablehook = former
