"""Errors whose message is all that a user needs."""


class InputError(ValueError):
    """A user's input cannot be used.

    The message is one line that names the file or option and says what was expected. The command
    line prints it and exits with code 2; from Python it is a `ValueError`.

    Example:
        >>> dcgan.presets.get("cats")
        Traceback (most recent call last):
        dcgan.errors.InputError: preset: expected one of article, mnist, ... Received: 'cats'
    """


class ServerError(ConnectionError):
    """A server cannot be reached, or does not answer as it should.

    The message is one line that names the server. The command line prints it and exits with code 2.
    """


class WorkerLostError(RuntimeError):
    """A distributed training has lost a worker, without which it cannot continue.

    The command line prints the message, one line, and exits with code 1.
    """


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's text, or its type's name if it has no text."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
