"""Files to rows, through a server."""

import os
import pathlib
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Protocol

from dcgan.errors import InputError
from dcgan.scoring import Row, expand
from export import score_rows
from export.client.target import Target

BATCH_SIZE = 64
TIMEOUT_SECONDS = 30.0
_BATCH_BYTES = 2**24
_ERROR = "error"
# TensorFlow's own entry among a SavedModel's signatures.
_INITIALIZER = "__saved_model_init_op"


class _Transport(Protocol):
    def predict(self, contents: Sequence[bytes]) -> dict[str, list[Any]]: ...

    def versions(self) -> dict[int, str]: ...

    def signatures(self) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Client:
    """Scores images on TF Serving, over HTTP or gRPC.

    The encoded files are sent as they are; the server decodes them. What is transient (no connection,
    too many requests, not available) is tried again, up to four times, with longer and longer waits;
    anything else is an error at once.

    Args:
        url: `http://host:port`, `https://host` or `grpc://host:port`.
        model: The name that it is served under. Defaults to "detector".
        version: A version's number. Defaults to None, the server's choice, the newest.
        label: A version's label instead, such as "stable". Defaults to None.
        batch_size: Images a request, at most; of large files fewer. Defaults to 64.
        timeout: Seconds that a request may take. Defaults to 30.

    Raises:
        InputError: If the address is none of these, or the extra `serving` is not installed.

    Example:
        >>> with Client("grpc://localhost:8500", label="stable") as client:
        ...     [row.decision for row in client.score_files(["photos"])]
        ['real', 'fake', 'error']
    """

    def __init__(
        self,
        url: str,
        *,
        model: str = "detector",
        version: int | None = None,
        label: str | None = None,
        batch_size: int = BATCH_SIZE,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._target = Target(
            url=url.rstrip("/"), model=model, version=version, label=label, timeout=timeout
        )
        self._transport = _connect(self._target)
        self._batch_size = batch_size

    def score_files(self, paths: Iterable[str | os.PathLike[str]]) -> Iterator[Row]:
        """Scores image files, a row each, in their order: those of `dcgan.detector.score_files`.

        Args:
            paths: Files and folders.

        Yields:
            Rows; a file that cannot be read, here or there, has its reason in `error`.

        Raises:
            InputError: If the server cannot be reached, or refuses.
        """
        for batch in _batches(map(_read, expand(paths)), self._batch_size):
            names = [name for name, outcome in batch if isinstance(outcome, bytes)]
            contents = [outcome for _, outcome in batch if isinstance(outcome, bytes)]
            scored = iter(self.score_contents(contents, names=names))
            for name, outcome in batch:
                yield (
                    Row(name, None, _ERROR, None, outcome) if isinstance(outcome, str) else next(scored)
                )

    def score_contents(self, contents: Sequence[bytes], *, names: Sequence[str]) -> list[Row]:
        """Scores encoded images in one request.

        Args:
            contents: PNG, JPEG, GIF, BMP or WebP files.
            names: One an image.

        Returns:
            A row an image.

        Raises:
            InputError: As for `score_files`.
        """
        if not contents:
            return []
        outputs = self._transport.predict(contents)
        try:
            return list(score_rows.to_rows(names, outputs))
        except (KeyError, TypeError, ValueError):
            found = ", ".join(sorted(outputs)) if isinstance(outputs, dict) else "something else"
            expected = ", ".join(score_rows.OUTPUTS)
            raise self._target.fail(f"expected {expected} of each image, found {found}") from None

    def versions(self) -> dict[int, str]:
        """Returns the state of each version that the server knows, such as "AVAILABLE", by number.

        Raises:
            InputError: As for `score_files`.
        """
        return self._transport.versions()

    def signatures(self) -> dict[str, dict[str, dict[str, str]]]:
        """Returns what the model takes and gives: signature, `inputs` or `outputs`, name, type, shape.

        Raises:
            InputError: As for `score_files`.

        Example:
            >>> client.signatures()["predict_uint8"]["inputs"]
            {'images': 'uint8 (-1, 28, 28, 1)'}
        """
        return {
            name: {
                side: {key: _describe(tensor) for key, tensor in sorted(signature[side].items())}
                for side in ("inputs", "outputs")
            }
            for name, signature in sorted(self._transport.signatures().items())
            if name != _INITIALIZER
        }

    def close(self) -> None:
        """Closes the connection."""
        self._transport.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _connect(target: Target) -> _Transport:
    address = urllib.parse.urlsplit(target.url)
    if address.scheme not in ("http", "https", "grpc") or not address.hostname:
        raise InputError(f"url: expected http://HOST:PORT or grpc://HOST:PORT. Received: {target.url!r}")
    try:
        if address.scheme == "grpc":
            from export.client.over_grpc import GrpcTransport

            return GrpcTransport(target)
        from export.client.over_http import HttpTransport

        return HttpTransport(target)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name}: expected to be installed; `pip install 'dcgan[serving]'`"
        ) from None


def _describe(tensor: dict[str, Any]) -> str:
    """Returns type and shape of a TensorInfo in its JSON form, which has sizes as text."""
    sizes = ", ".join(str(dim["size"]) for dim in tensor.get("tensor_shape", {}).get("dim", []))
    return f"{tensor['dtype'].removeprefix('DT_').lower()} ({sizes})"


def _read(path: pathlib.Path) -> tuple[str, bytes | str]:
    """Returns a file's name, and its content or why there is none."""
    if not path.is_file():
        return str(path), "not a file" if path.exists() else "no such file"
    try:
        return str(path), path.read_bytes()
    except OSError as error:
        return str(path), error.strerror or str(error)


def _batches(
    files: Iterator[tuple[str, bytes | str]], size: int
) -> Iterator[list[tuple[str, bytes | str]]]:
    """Yields batches of so many files, or of fewer that are large together."""
    batch: list[tuple[str, bytes | str]] = []
    held = 0
    for name, outcome in files:
        batch.append((name, outcome))
        held += len(outcome) if isinstance(outcome, bytes) else 0
        if len(batch) == size or held >= _BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
