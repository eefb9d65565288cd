"""Image files to rows, through a server."""

import os
import pathlib
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Protocol

from dcgan import scoring
from dcgan.data import encoded_image, image_file
from dcgan.errors import InputError
from dcgan.scoring import Row
from export.client.target import Target

BATCH_SIZE = 64
TIMEOUT_SECONDS = 30.0
_BATCH_BYTES = 2**24
# TensorFlow's own entry among a SavedModel's signatures.
_INITIALIZER = "__saved_model_init_op"

# A file's name, and its content or why there is none.
_Outcome = tuple[str, bytes | str]


class _Transport(Protocol):
    """One of TF Serving's interfaces; its methods raise InputError if the server does not answer."""

    def predict(self, contents: Sequence[bytes]) -> dict[str, list[Any]]: ...

    def versions(self) -> dict[int, str]: ...

    def signatures(self) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Client:
    """Scores images on TF Serving, over HTTP or gRPC.

    PNG, JPEG and WebP files are sent as they are, and the server decodes them; other formats, such as
    GIF and TIFF, are sent as PNG. Transient failures (no connection, too many requests, not available)
    are tried again up to four times, with growing waits; anything else is an error at once.

    Args:
        url: `http://host:port`, `https://host` or `grpc://host:port`.
        model: The name the model is served under. Defaults to "detector".
        version: A version's number. Defaults to None, the server's choice, which is the newest.
        label: A version's label instead, such as "stable". Defaults to None.
        batch_size: The most images per request; fewer if the files are large. Defaults to 64.
        timeout: Seconds that a request may take. Defaults to 30.

    Raises:
        InputError: If the address has another form, or the extra `serving` is not installed.

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
        """Scores image files; the rows are those of `dcgan.scoring.score_files`, in order.

        Args:
            paths: Files and folders.

        Yields:
            Rows; if a file cannot be read, here or on the server, `error` says why.

        Raises:
            InputError: If the server cannot be reached, or refuses.
        """
        for batch in _batches(map(_read, scoring.expand(paths)), self._batch_size):
            yield from self._score(batch)

    def score_contents(self, contents: Sequence[bytes], *, names: Sequence[str]) -> list[Row]:
        """Scores encoded images in one request.

        Args:
            contents: Image files' contents, in any format that `dcgan.data` reads.
            names: One name per image.

        Returns:
            One row per image.

        Raises:
            InputError: As for `score_files`.
        """
        return list(self._score(list(zip(names, map(_convert, contents), strict=True))))

    def versions(self) -> dict[int, str]:
        """Returns the state of each version that the server knows, such as "AVAILABLE", by number.

        Raises:
            InputError: As for `score_files`.
        """
        return self._transport.versions()

    def signatures(self) -> dict[str, dict[str, dict[str, str]]]:
        """Returns the type and shape of each input and output, by signature, side and name.

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

    def _score(self, batch: Sequence[_Outcome]) -> Iterator[Row]:
        """Scores what could be read in one request, and puts the other rows in their places."""
        names = [name for name, outcome in batch if isinstance(outcome, bytes)]
        contents = [outcome for _, outcome in batch if isinstance(outcome, bytes)]
        scored = iter(self._request(contents, names) if contents else [])
        for name, outcome in batch:
            yield Row.unread(name, outcome) if isinstance(outcome, str) else next(scored)

    def _request(self, contents: Sequence[bytes], names: Sequence[str]) -> list[Row]:
        outputs = self._transport.predict(contents)
        try:
            return list(scoring.to_rows(names, outputs))
        except (KeyError, TypeError, ValueError):
            found = ", ".join(sorted(outputs)) if isinstance(outputs, dict) else "something else"
            expected = ", ".join(scoring.OUTPUTS)
            raise self._target.fail(f"expected {expected} for each image, found {found}") from None


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
    """Returns the type and shape of a TensorInfo in its JSON form, where sizes are texts."""
    sizes = ", ".join(str(dim["size"]) for dim in tensor.get("tensor_shape", {}).get("dim", []))
    return f"{tensor['dtype'].removeprefix('DT_').lower()} ({sizes})"


def _read(path: pathlib.Path) -> _Outcome:
    if not path.is_file():
        return str(path), "not a file" if path.exists() else "no such file"
    try:
        return str(path), _convert(path.read_bytes())
    except OSError as error:
        return str(path), error.strerror or str(error)


def _convert(content: bytes) -> bytes | str:
    """Returns an image in a format that the server decodes, or why that is not possible."""
    try:
        with image_file.without_warnings():
            return encoded_image.to_served(content)
    except image_file.UnreadableError as error:
        return error.reason


def _batches(files: Iterator[_Outcome], size: int) -> Iterator[list[_Outcome]]:
    """Yields batches of so many files, or of fewer if they are large together."""
    batch: list[_Outcome] = []
    held = 0
    for name, outcome in files:
        batch.append((name, outcome))
        held += len(outcome) if isinstance(outcome, bytes) else 0
        if len(batch) == size or held >= _BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
