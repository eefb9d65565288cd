"""Images in files, one by one or as `tf.Example`s, as Beam hands them on."""

import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from dcgan import errors
from dcgan.data.decoding import encoded_image, image_file, image_formats
from dcgan.data.folders import folder_walk
from dcgan.scoring import Row
from dcgan.system import files
from export import tf_examples
from export.bulk_input import matching

ERRORS = "errors"
"""The tag of rows with an error."""


def to_bytes(name: str) -> bytes:
    """Returns a name as it travels: Beam's coders take no text with what is not UTF-8."""
    return name.encode("utf-8", "surrogateescape")


def to_text(name: bytes) -> str:
    """Returns the name that `to_bytes` was given."""
    return name.decode("utf-8", "surrogateescape")


class Match(beam.DoFn):
    """From patterns to the names of files; what cannot be listed aside."""

    def process(self, element: bytes) -> Iterator[Any]:
        """Yields names, and rows tagged as errors."""
        for found in matching.match(to_text(element)):
            yield _unread(found.path, found.error) if found.error else to_bytes(found.path)


class Read(beam.DoFn):
    """From a file to names and encoded images, several in a TFRecord file; errors aside."""

    def process(self, element: bytes) -> Iterator[Any]:
        """Yields pairs that the model can decode, and rows tagged as errors."""
        path = to_text(element)
        try:
            for name, content in _read(path):
                yield _convert(name, content)
        except (image_file.UnreadableError, tf_examples.DamagedError) as error:
            yield _unread(path, error.reason)
        except OSError as error:
            if files.is_full(error):
                raise
            yield _unread(path, error.strerror or errors.first_line(error))


def _read(path: str) -> Iterator[tuple[str, bytes | None]]:
    """Yields a file's name and content or, of a TFRecord file, those of each example."""
    is_records = matching.RECORDS in path.rpartition("/")[2]
    if not matching.is_remote(path):
        _check_file(pathlib.Path(path), is_records=is_records)
    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as source:
        if not is_records:
            # One byte more than is taken is enough to refuse it.
            yield path, source.read(image_formats.MAX_BYTES + 1)
            return
        # TensorFlow knows fewer file systems than Beam.
        with tempfile.NamedTemporaryFile() as local:
            shutil.copyfileobj(source, local)
            local.flush()
            yield from _read_records(local.name, path)


def _check_file(path: pathlib.Path, *, is_records: bool) -> None:
    if not is_records:
        image_file.check_file(path)
    elif reason := folder_walk.why_no_file(path):
        raise tf_examples.DamagedError(str(path), reason)


def _read_records(local: str, path: str) -> Iterator[tuple[str, bytes | None]]:
    """Yields `path#number` and the image of each example."""
    number = -1
    for number, record in enumerate(tf_examples.records(local, packed=path.endswith(".gz"))):
        yield f"{path}#{number}", tf_examples.read(record)
    if number < 0:
        raise tf_examples.DamagedError(path, "holds no records")


def _convert(name: str, content: bytes | None) -> Any:
    if content is None:
        return _unread(name, tf_examples.INVALID)
    try:
        return to_bytes(name), encoded_image.to_served(content)
    except image_file.UnreadableError as error:
        return _unread(name, error.reason)


def _unread(name: str, reason: str) -> beam.pvalue.TaggedOutput:
    return beam.pvalue.TaggedOutput(ERRORS, Row.unread(name, " ".join(reason.split())))
