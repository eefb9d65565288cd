"""Predict over HTTP, through TF Serving's REST interface.

Reference: https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import json
import urllib.parse
from collections.abc import Sequence
from typing import Any, Self

import requests
import urllib3

from dcgan.errors import ServerError
from export.client import failures
from export.client import target as targets
from export.client.target import Target

# Too many requests, bad gateway, unavailable.
_TRANSIENT = (429, 502, 503)
_KINDS = {413: failures.TooLargeError, 504: failures.TimeOutError}


class HttpTransport:
    """A connection that stays open between requests.

    Args:
        target: The model.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._address = f"{target.url}/v1/models/{_path(target)}"
        self._session = requests.Session()
        adapter = requests.adapters.HTTPAdapter(max_retries=_retry())
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def predict(self, contents: Sequence[bytes]) -> dict[str, list[Any]]:
        """Scores encoded images; returns the outputs by name, one element per image."""
        images = [{"b64": base64.b64encode(content).decode("ascii")} for content in contents]
        request = {"signature_name": targets.SIGNATURE, "inputs": {targets.INPUT: images}}
        return self._call("POST", ":predict", "outputs", json=request)

    def versions(self) -> dict[int, str]:
        """Returns the state of each version by its number."""
        states = self._call("GET", "", "model_version_status")
        return {int(state["version"]): state["state"] for state in states}

    def signatures(self) -> dict[str, Any]:
        """Returns the model's SignatureDefs in JSON form by name."""
        metadata = self._call("GET", "/metadata", "metadata")
        try:
            return metadata["signature_def"]["signature_def"]
        except (KeyError, TypeError):
            raise self._target.fail(f"not TF Serving's answer: {str(metadata)[:80]!r}") from None

    def close(self) -> None:
        """Closes the connection."""
        self._session.close()

    def _call(self, method: str, suffix: str, key: str, **body: Any) -> Any:
        """Returns one value of the server's answer."""
        address = self._address + suffix
        try:
            response = self._session.request(method, address, timeout=self._target.timeout, **body)
        except requests.RequestException as error:
            kind = failures.TimeOutError if _is_late(error) else ServerError
            raise self._target.fail(_reason(error), kind) from None
        if not response.ok:
            kind = _KINDS.get(response.status_code, ServerError)
            raise self._target.fail(_message(response), kind)
        try:
            return json.loads(response.content)[key]
        except (ValueError, KeyError, TypeError):
            raise self._target.fail(f"not TF Serving's answer: {response.text[:80]!r}") from None


def _path(target: Target) -> str:
    model = urllib.parse.quote(target.model, safe="")
    if target.version is not None:
        return f"{model}/versions/{target.version}"
    if target.label is not None:
        return f"{model}/labels/{urllib.parse.quote(target.label, safe='')}"
    return model


class _Retry(urllib3.Retry):
    """Leaves out what another attempt would not mend: time-outs, and requests that are too large."""

    RETRY_AFTER_STATUS_CODES = frozenset(_TRANSIENT)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: Any = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        if isinstance(error, urllib3.exceptions.ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


def _retry() -> _Retry:
    return _Retry(
        total=targets.ATTEMPTS - 1,
        status_forcelist=_TRANSIENT,
        allowed_methods=None,
        raise_on_status=False,
        backoff_factor=targets.FIRST_WAIT_SECONDS / 2,
        backoff_jitter=targets.FIRST_WAIT_SECONDS,
        backoff_max=targets.LONGEST_WAIT_SECONDS,
    )


def _is_late(error: requests.RequestException) -> bool:
    """Whether the answer took too long; to reach no server is something else."""
    late = (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError)
    return isinstance(error, late) or any(isinstance(cause, late) for cause in error.args)


def _reason(error: requests.RequestException) -> str:
    """Returns the innermost reason."""
    cause: Any = error.args[0] if error.args else error
    cause = getattr(cause, "reason", None) or cause
    return str(cause).rpartition(": ")[2] or type(error).__name__


def _message(response: requests.Response) -> str:
    """Returns an error's text; older servers escape it as C does, which may not be JSON."""
    try:
        return str(json.loads(response.content)["error"])
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code}: {response.text[:200]}"
