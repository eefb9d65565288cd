"""Which model on which server, and how patiently to ask it."""

import dataclasses

from dcgan.errors import InputError

SIGNATURE = "predict_bytes"
INPUT = "image_bytes"

# gRPC allows no more.
ATTEMPTS = 5
# The wait before the second attempt; waits double from one to the next, and vary at random.
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """A model on a server.

    Attributes:
        url: The server's address, without a slash at the end.
        model: The name the model is served under.
        version: The version's number; None for the server's choice.
        label: The version's label, such as "stable"; None for the server's choice.
        timeout: Seconds that a request may take.

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
