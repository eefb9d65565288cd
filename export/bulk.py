"""Scores images by the million: an Apache Beam pipeline over an exported version, for any runner.

Images come as files or as `image_bytes` of `tf.Example`s in TFRecord files. Rows with a score and
rows with an error go to different files, so that one bad image ends nothing.
"""

import dataclasses
import json
import pathlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
from apache_beam.io import fileio
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.ml.inference import base
from apache_beam.options.pipeline_options import PipelineOptions
from google.protobuf import message

from dcgan.errors import InputError
from dcgan.scoring import DECISIONS, Row
from export import score_rows
from export.graph import decoding

FORMATS = ("jsonl", "parquet")
RECORDS = ".tfrecord"
_ERROR = "error"
_ERRORS = "errors"
_BATCH_SIZE = 256
_LARGE_BYTES = 2**16
_NAMESPACE = "dcgan"
_SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("p_fake", pa.float64()),
        ("decision", pa.string()),
        ("discriminator_logit", pa.float64()),
        ("error", pa.string()),
    ]
)


def score_bulk(
    patterns: Sequence[str],
    model: str,
    out: str,
    *,
    output: str = "jsonl",
    options: Sequence[str] = (),
) -> dict[str, int]:
    """Scores all images that match, into `scores-*` and `errors-*.jsonl`.

    Args:
        patterns: Of files, in any file system that Beam knows, such as `gs://bucket/photos/**`; a name
            that contains ".tfrecord" is of TFRecord files of `tf.Example`s, uncompressed or `.gz`.
        model: An exported version's directory, which every worker can read.
        out: The directory to write to.
        output: "jsonl" or "parquet", for the scores. Defaults to "jsonl".
        options: Beam's pipeline options, such as `--runner=FlinkRunner`. Defaults to none, which is
            Beam's local runner.

    Returns:
        How many images were "real", "unsure", "fake" and "error".

    Raises:
        InputError: If nothing matches a pattern, there is no model, `out` cannot be written to or Beam
            has no such runner.
    """
    _check(patterns, model, out)
    try:
        pipeline = beam.Pipeline(options=PipelineOptions(list(options)))
    except ValueError as error:
        raise InputError(f"Beam's options: {error}") from None
    _build(pipeline, patterns, model, f"{out.rstrip('/')}/", output=output)
    result = pipeline.run()
    result.wait_until_finish()
    counts = dict.fromkeys((*DECISIONS, _ERROR), 0)
    filter_ = beam.metrics.MetricsFilter().with_namespace(_NAMESPACE)
    for counter in result.metrics().query(filter_)["counters"]:
        counts[counter.key.metric.name] += counter.result
    return counts


def _check(patterns: Sequence[str], model: str, out: str) -> None:
    """Finds out before workers start what would end them all."""
    if not tf.io.gfile.exists(f"{model}/saved_model.pb"):
        raise InputError(f"{model}: expected an exported version, one that holds saved_model.pb")
    for pattern in patterns:
        (found,) = FileSystems.match([pattern], limits=[1])
        if not found.metadata_list or pathlib.Path(pattern).is_dir():
            raise InputError(f"{pattern}: expected a pattern that files match, such as photos/**")
    if "://" not in out:
        try:
            pathlib.Path(out).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{out}: expected a directory to write to ({error.strerror})") from None


def _build(
    pipeline: beam.Pipeline, patterns: Sequence[str], model: str, prefix: str, *, output: str
) -> None:
    images, unread = (
        pipeline
        | beam.Create(list(patterns))
        | fileio.MatchAll()
        | beam.Reshuffle()
        | fileio.ReadMatches(compression=CompressionTypes.UNCOMPRESSED)
        | beam.ParDo(_Read()).with_outputs(_ERRORS, main="images")
    )
    scored, bad = (
        images
        | base.RunInference(_Handler(model))
        | beam.Partition(lambda row, _: int(row.decision == _ERROR), 2)
    )
    errors = (bad, unread) | beam.Flatten() | "CountErrors" >> beam.Map(_count)
    _write_texts(errors, f"{prefix}errors")
    rows = scored | "CountScores" >> beam.Map(_count)
    if output == "parquet":
        records = rows | beam.Map(dataclasses.asdict)
        records | beam.io.WriteToParquet(f"{prefix}scores", _SCHEMA, file_name_suffix=".parquet")
    else:
        _write_texts(rows, f"{prefix}scores")


def _write_texts(rows: beam.PCollection, prefix: str) -> None:
    texts = rows | f"Format {prefix}" >> beam.Map(_to_json)
    texts | f"Write {prefix}" >> beam.io.WriteToText(prefix, file_name_suffix=".jsonl")


class _Read(beam.DoFn):
    """From a file to names and encoded images, several of a TFRecord file; errors aside."""

    def process(self, element: Any) -> Iterator[Any]:
        """Yields pairs, and rows tagged as errors."""
        path = element.metadata.path
        try:
            if RECORDS in path.rpartition("/")[2]:
                yield from _read_records(path, element)
            else:
                yield path, element.read()
        except (OSError, tf.errors.DataLossError) as error:
            yield beam.pvalue.TaggedOutput(_ERRORS, _unread(path, str(error)))


class _Handler(base.ModelHandler[tuple[str, bytes], Row, Any]):
    """Scores batches; the model is loaded once a process."""

    def __init__(self, model: str) -> None:
        super().__init__(
            min_batch_size=_BATCH_SIZE, max_batch_size=_BATCH_SIZE, element_size_fn=_share_of_batch
        )
        self._model = model

    def load_model(self) -> Any:
        """Loads the SavedModel."""
        return tf.saved_model.load(self._model)

    def run_inference(
        self,
        batch: Sequence[tuple[str, bytes]],
        model: Any,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[Row]:
        """Returns a row an image."""
        names = [name for name, _ in batch]
        return score_rows.score(model, names, [content for _, content in batch])

    def get_num_bytes(self, batch: Sequence[tuple[str, bytes]]) -> int:
        """Returns the size of a batch, for Beam's metrics."""
        return sum(len(content) for _, content in batch)


def _share_of_batch(element: tuple[str, bytes]) -> int:
    """Counts an image once, a large one more often."""
    return 1 + len(element[1]) // _LARGE_BYTES


def _read_records(path: str, element: Any) -> Iterator[Any]:
    """Yields `path#number` and the image of each example."""
    compression = "GZIP" if path.endswith(".gz") else ""
    with tempfile.NamedTemporaryFile() as local:
        # TensorFlow knows fewer file systems than Beam.
        with element.open() as source:
            shutil.copyfileobj(source, local)
        local.flush()
        for number, record in enumerate(tf.data.TFRecordDataset(local.name, compression)):
            name = f"{path}#{number}"
            content = _image_of(record.numpy())
            if content is None:
                yield beam.pvalue.TaggedOutput(_ERRORS, _unread(name, decoding.NOT_AN_EXAMPLE))
            else:
                yield name, content


def _image_of(record: bytes) -> bytes | None:
    try:
        features = tf.train.Example.FromString(record).features.feature
    except message.DecodeError:
        return None
    values = features[decoding.FEATURE].bytes_list.value
    return values[0] if len(values) == 1 else None


def _unread(name: str, reason: str) -> Row:
    return Row(name, None, _ERROR, None, " ".join(reason.split()))


def _count(row: Row) -> Row:
    beam.metrics.Metrics.counter(_NAMESPACE, row.decision).inc()
    return row


def _to_json(row: Row) -> str:
    return json.dumps(dataclasses.asdict(row), ensure_ascii=False)
