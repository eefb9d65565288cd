"""Image files to rows, through a server."""

import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Protocol

from dcgan import scoring
from dcgan.data.decoding import encoded_image, image_file
from dcgan.errors import InputError
from dcgan.scoring import Row
from export.client import failures
from export.client.target import Target

BATCH_SIZE = 64
BATCH_BYTES = 2**24
TIMEOUT_SECONDS = 30.0
# So many requests in a row that time out are a server that is gone.
_TIME_OUTS = 5
# TensorFlow's own entry among a SavedModel's signatures.
_INITIALIZER = "__saved_model_init_op"

# A file's name, and its content or why there is none.
_Outcome = tuple[str, bytes | str]


class _Transport(Protocol):
    """One of TF Serving's interfaces; its methods raise ServerError if the server does not answer."""

    def predict(self, contents: Sequence[bytes]) -> dict[str, list[Any]]: ...

    def versions(self) -> dict[int, str]: ...

    def signatures(self) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Client:
    """Scores images on TF Serving, over HTTP or gRPC.

    PNG and JPEG files are sent as they are, and the server decodes them; other formats, such as WebP
    and TIFF, are sent as PNG. Transient failures (no connection, too many requests, not available)
    are tried again up to four times, with growing waits. A request that is too large for the server is
    split, and an image that is too large has an error for a row. A request that times out costs its
    own rows, which become errors; five in a row end the run. Anything else is an error at once.

    Args:
        url: `http://host:port`, `https://host` or `grpc://host:port`. Over HTTP it may name a user, as
            in `https://user:password@host`.
        model: The name the model is served under. Defaults to "detector".
        version: A version's number. Defaults to None, the server's choice, which is the newest.
        label: A version's label instead, such as "stable". Defaults to None.
        batch_size: The most images per request. Defaults to 64.
        batch_bytes: The most bytes of images per request; a larger image travels alone. Over HTTP a
            request is a third larger than its images. Defaults to 16 MiB.
        timeout: Seconds that each attempt of a request may take. Defaults to 30.

    Raises:
        InputError: If an argument is not allowed, or the extra `serving` is not installed.

    Example:
        >>> with export.Client("grpc://localhost:8500", label="stable") as client:
        ...     rows = list(client.score_files(["photos", "missing.png"]))
        >>> rows[-1].decision
        'error'
    """

    def __init__(
        self,
        url: str,
        *,
        model: str = "detector",
        version: int | None = None,
        label: str | None = None,
        batch_size: int = BATCH_SIZE,
        batch_bytes: int = BATCH_BYTES,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        if batch_size < 1 or batch_bytes < 1:
            given = f"{batch_size} and {batch_bytes}"
            raise InputError(f"batch_size, batch_bytes: expected 1 or more. Received: {given}")
        self._target = Target(url=url, model=model, version=version, label=label, timeout=timeout)
        self._transport = _connect(self._target)
        self._batch_size, self._batch_bytes = batch_size, batch_bytes
        self._time_outs = 0

    def score_files(self, paths: Iterable[str | os.PathLike[str]]) -> Iterator[Row]:
        """Scores image files; the rows are those of `dcgan.scoring.score_files`, in order.

        Args:
            paths: Files and folders.

        Yields:
            Rows; if a file cannot be read, here or on the server, `error` says why.

        Raises:
            ServerError: If the server cannot be reached, or refuses. It is a `ConnectionError`.
        """
        for batch in self._batches(map(_read, scoring.expand(paths))):
            yield from self._score(batch)

    def score_contents(self, contents: Sequence[bytes], *, names: Sequence[str]) -> list[Row]:
        """Scores encoded images, in one request unless the server does not take as much.

        Args:
            contents: Image files' contents, in any format that `dcgan.data` reads.
            names: One name per image.

        Returns:
            One row per image.

        Raises:
            ServerError: As for `score_files`.
        """
        return list(self._score(list(zip(names, map(_convert, contents), strict=True))))

    def versions(self) -> dict[int, str]:
        """Returns the state of each version that the server knows, such as "AVAILABLE", by number.

        Raises:
            ServerError: As for `score_files`.
        """
        return self._transport.versions()

    def signatures(self) -> dict[str, dict[str, dict[str, str]]]:
        """Returns the type and shape of each input and output, by signature, side and name.

        Raises:
            ServerError: As for `score_files`.

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

    def _batches(self, files: Iterator[_Outcome]) -> Iterator[list[_Outcome]]:
        """Yields batches of as many files as are allowed, or of fewer if they are large together."""
        batch: list[_Outcome] = []
        held = 0
        for name, outcome in files:
            size = len(outcome) if isinstance(outcome, bytes) else 0
            if batch and (len(batch) == self._batch_size or held + size > self._batch_bytes):
                yield batch
                batch, held = [], 0
            batch.append((name, outcome))
            held += size
        if batch:
            yield batch

    def _score(self, batch: Sequence[_Outcome]) -> Iterator[Row]:
        """Scores what could be read, and puts the other rows in their places."""
        names = [name for name, outcome in batch if isinstance(outcome, bytes)]
        contents = [outcome for _, outcome in batch if isinstance(outcome, bytes)]
        scored = self._request(contents, names)
        for name, outcome in batch:
            yield Row.unread(name, outcome) if isinstance(outcome, str) else next(scored)
        if self._time_outs >= _TIME_OUTS:
            raise self._target.fail(f"{self._time_outs} requests in a row timed out")

    def _request(self, contents: Sequence[bytes], names: Sequence[str]) -> Iterator[Row]:
        """Scores encoded images in one request, or in several if it is too large."""
        if not contents:
            return
        try:
            outputs = self._transport.predict(contents)
        except failures.TooLargeError:
            yield from self._split(contents, names)
        except failures.TimeOutError:
            self._time_outs += 1
            for name in names:
                yield Row.unread(name, f"no answer in time; the time-out is {self._target.timeout:g} s")
        else:
            self._time_outs = 0
            yield from self._to_rows(names, outputs)

    def _split(self, contents: Sequence[bytes], names: Sequence[str]) -> Iterator[Row]:
        count, size = len(contents), sum(map(len, contents))
        if count == 1:
            yield Row.unread(names[0], f"{size} bytes are more than the server takes")
            return
        # What comes after need not be tried first.
        self._batch_bytes = min(self._batch_bytes, max(1, size // 2))
        for part in (slice(count // 2), slice(count // 2, count)):
            yield from self._request(contents[part], names[part])

    def _to_rows(self, names: Sequence[str], outputs: Any) -> list[Row]:
        try:
            return list(scoring.to_rows(names, outputs))
        except (KeyError, TypeError, ValueError):
            found = ", ".join(sorted(outputs)) if isinstance(outputs, dict) else "something else"
            expected = ", ".join(scoring.OUTPUTS)
            raise self._target.fail(f"expected {expected} for each image, found {found}") from None


def _connect(target: Target) -> _Transport:
    try:
        if target.scheme == "grpc":
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
    try:
        image_file.check_file(path)
        return str(path), _convert(path.read_bytes())
    except image_file.UnreadableError as error:
        return str(path), error.reason
    except OSError as error:
        return str(path), error.strerror or str(error)


def _convert(content: bytes) -> bytes | str:
    """Returns an image in a format that the server decodes, or why that is not possible."""
    try:
        with image_file.without_warnings():
            return encoded_image.to_served(content)
    except image_file.UnreadableError as error:
        return error.reason
