"""Interrupts that are never lost."""

import _thread
import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

# Seconds after which a finaliser has ended.
_LATER = 0.05


@contextlib.contextmanager
def arriving() -> Iterator[None]:
    """Makes sure that Ctrl-C ends the block.

    Python raises `KeyboardInterrupt` wherever the program happens to be. In a finaliser, or in the
    callback of a weak reference, it reports and drops the exception. Here it is raised again.
    """
    former = sys.unraisablehook
    again = threading.Timer(0, _thread.interrupt_main)

    def report(dropped: Any) -> None:
        nonlocal again
        if dropped.exc_type is not KeyboardInterrupt:
            return former(dropped)
        # Not at once: that would still be within the finaliser.
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
