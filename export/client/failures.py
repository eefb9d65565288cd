"""Why a request has no answer that can be used, as far as it matters what to do about it."""

from dcgan.errors import ServerError


class BusyError(ServerError):
    """The same request may be answered a moment later."""


class TimeOutError(ServerError):
    """No answer came in time."""


class TooLargeError(ServerError):
    """The server, or something before it, takes only smaller requests."""
