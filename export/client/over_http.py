"""Predict over HTTP, through TF Serving's REST interface.

Reference: https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import json
import urllib.parse
from collections.abc import Sequence
from typing import Any

import requests
import urllib3

from export.client import target as targets
from export.client.target import Target

# Too many requests, bad gateway, unavailable, gateway time-out.
_TRANSIENT = (429, 502, 503, 504)


class HttpTransport:
    """A connection that stays open between requests.

    Args:
        target: The model; the time-out covers each attempt.
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
            raise self._target.fail(_reason(error)) from None
        if not response.ok:
            raise self._target.fail(_message(response))
        try:
            # An image without a score has NaN, which is not JSON, but Python reads it.
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


def _retry() -> urllib3.Retry:
    return urllib3.Retry(
        total=targets.ATTEMPTS - 1,
        status_forcelist=_TRANSIENT,
        allowed_methods=None,
        raise_on_status=False,
        backoff_factor=targets.FIRST_WAIT_SECONDS / 2,
        backoff_jitter=targets.FIRST_WAIT_SECONDS,
        backoff_max=targets.LONGEST_WAIT_SECONDS,
    )


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
