"""Which model on which server, and how patiently to ask it."""

import dataclasses
import math
import random
import urllib.parse
from collections.abc import Iterator

from dcgan.errors import InputError, ServerError

SIGNATURE = "predict_bytes"
INPUT = "image_bytes"

ATTEMPTS = 5
# The wait before the second attempt; waits double from one to the next, and vary at random.
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0

_SCHEMES = ("http", "https", "grpc")
_EXPECTED = "url: expected http://HOST:PORT or grpc://HOST:PORT"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """A model on a server.

    Attributes:
        url: The server's address; a slash at the end does not count. It may hold a user and a
            password, which no message shows.
        model: The name the model is served under.
        version: The version's number; None for the server's choice.
        label: The version's label, such as "stable"; None for the server's choice.
        timeout: Seconds that each attempt of a request may take.

    Raises:
        InputError: If the address has another form, both a version and a label are given, or the
            time-out is not positive.
    """

    url: str
    model: str
    version: int | None
    label: str | None
    timeout: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", self.url.rstrip("/"))
        _check_url(self.url)
        if self.version is not None and self.label is not None:
            given = f"{self.version} and {self.label!r}"
            raise InputError(f"label: expected a version or a label, not both. Received: {given}")
        if not 0 < self.timeout < math.inf:
            raise InputError(f"timeout: expected seconds, more than 0. Received: {self.timeout}")

    @property
    def scheme(self) -> str:
        """The protocol: "http", "https" or "grpc"."""
        return self.url.partition("://")[0]

    def fail(self, reason: str, kind: type[ServerError] = ServerError) -> ServerError:
        """Returns the error of a server that did not answer as it should."""
        message = f"{self.url}: expected scores from {self.model} ({reason})"
        return kind(_without(_user(self.url.partition("://")[2].partition("/")[0]), message))


def waits() -> Iterator[float]:
    """Yields the seconds to wait before each attempt but the first."""
    for number in range(ATTEMPTS - 1):
        wait = min(FIRST_WAIT_SECONDS * 2**number, LONGEST_WAIT_SECONDS)
        yield wait * random.uniform(0.5, 1)


def _check_url(url: str) -> None:
    try:
        parts = urllib.parse.urlsplit(url)
        is_address = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # A port that is none, or an IPv6 address with a bracket missing.
        is_address = False
    if not is_address:
        shown = _without(_user(url.partition("://")[2] or url), url)
        raise InputError(f"{_EXPECTED}. Received: {shown!r}")
    if parts.scheme == "grpc" and "@" in parts.netloc:
        raise InputError(f"{_EXPECTED}; over gRPC without a user and a password")


def _user(address: str) -> str:
    """Returns what stands before an address's last @: a user and a password, or nothing."""
    return address.rpartition("@")[0]


def _without(user: str, text: str) -> str:
    """Removes a user and a password from a text, as they are written in an address or meant."""
    if user:
        for written in (user, urllib.parse.unquote(user)):
            text = text.replace(f"{written}@", "").replace(written, "***")
    return text
