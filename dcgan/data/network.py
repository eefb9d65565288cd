"""Is there a network? Asked once, for a bounded time, before a download retries for minutes."""

import queue
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable

from dcgan import errors

TIMEOUT = 5.0  # Seconds.

_MOST_HOSTS = 8
_SCHEMES = ("http", "https", "ftp")
_GATEWAY_ERRORS = (502, 503, 504)


def require(urls: Iterable[str], *, name: str) -> None:
    """Makes sure that at least one of the hosts of some URLs answers.

    All are asked at once, through the proxy if the environment names one. Any answer will do, and
    without a host to ask nothing happens.

    Args:
        urls: What is about to be downloaded.
        name: The source as given, for the error.

    Raises:
        InputError: If no host has answered within `TIMEOUT`.
    """
    parts = [urllib.parse.urlsplit(url) for url in urls]
    hosts = {part.netloc: part.scheme for part in parts if part.scheme in _SCHEMES}
    asked = dict(list(hosts.items())[:_MOST_HOSTS])
    answers: queue.Queue[bool] = queue.Queue()
    for host, scheme in asked.items():
        # Name resolution knows no timeout, so that the threads are left alone if they hang.
        probe = threading.Thread(
            target=lambda url=f"{scheme}://{host}/": answers.put(_answers(url)), daemon=True
        )
        probe.start()
    if asked and not _any(answers, len(asked)):
        raise errors.InputError(
            f"{name}: expected a network connection to download it, as it is not prepared on this "
            f"machine; no answer from {', '.join(asked)}"
        )


def _any(answers: "queue.Queue[bool]", count: int) -> bool:
    deadline = time.monotonic() + TIMEOUT
    try:
        return any(answers.get(timeout=max(0.0, deadline - time.monotonic())) for _ in range(count))
    except queue.Empty:
        return False


def _answers(url: str) -> bool:
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT):
            return True
    except urllib.error.HTTPError as error:
        return error.code not in _GATEWAY_ERRORS
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)
    except OSError:
        return False
