"""Which model on which server, and how long it may take."""

import dataclasses

from dcgan.errors import InputError

SIGNATURE = "predict_bytes"
INPUT = "image_bytes"

# A request is tried this often, at most; gRPC allows no more.
ATTEMPTS = 5
# Before the second; it doubles from one to the next, and every wait is varied at random.
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """A model on a server.

    Attributes:
        url: The server's, without a slash at its end.
        model: The name that it is served under.
        version: The version's number; None for the server's choice.
        label: The version's label, such as "stable"; None for the server's choice.
        timeout: How many seconds a request may take.

    Raises:
        InputError: If both a version and a label are given.
    """

    url: str
    model: str
    version: int | None
    label: str | None
    timeout: float

    def __post_init__(self) -> None:
        if self.version is not None and self.label is not None:
            given = f"{self.version} and {self.label!r}"
            raise InputError(f"label: expected a version or a label, not both. Received: {given}")

    def fail(self, reason: str) -> InputError:
        """Returns the error of a server that did not answer as it should."""
        return InputError(f"{self.url}: expected scores from {self.model} ({reason})")
