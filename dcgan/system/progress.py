"""How far long work has come, told to whoever listens, such as the command line."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator

Listener = Callable[[str, float, float], None]
"""Called with the name of a part, the share of it that is done, and with which it began; 0 to 1."""

_listener: contextvars.ContextVar[Listener | None] = contextvars.ContextVar("listener", default=None)


def report(part: str, share: float, *, begun: float = 0.0) -> None:
    """Tells how far a part of the work has come.

    Args:
        part: Its name.
        share: How much of it is done, 0 to 1.
        begun: How much was done before this process began. Defaults to 0.
    """
    listener = _listener.get()
    if listener is not None:
        listener(part, share, begun)


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Has a listener called while the block runs.

    Args:
        listener: What to call.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
