"""Bulk scoring: an Apache Beam pipeline over an exported version, for any runner.

Images come as files, or as `image_bytes` of `tf.Example`s in TFRecord files. Rows with a score and
rows with an error go to separate files, so that a bad image stops nothing.
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

from dcgan import scoring
from dcgan.data import encoded_image, image_file
from dcgan.errors import InputError
from dcgan.scoring import DECISIONS, ERROR, Row
from export import tf_examples

_RECORDS = ".tfrecord"
_ERRORS = "errors"
_UNFAMILIAR = "unfamiliar"
_BATCH_SIZE = 256
_LARGE_BYTES = 2**16
_NAMESPACE = "dcgan"
_SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("p_fake", pa.float64()),
        ("decision", pa.string()),
        ("reason", pa.string()),
        ("familiarity", pa.float64()),
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
        patterns: File patterns in any file system that Beam knows, such as `gs://bucket/photos/**`.
            Files with ".tfrecord" in their name are TFRecord files of `tf.Example`s, uncompressed or
            `.gz`; others are images in any format that `dcgan.data` reads.
        model: An exported version's directory, which every worker can read.
        out: The directory to write to.
        output: "jsonl" or "parquet", for the scores. Defaults to "jsonl".
        options: Beam's pipeline options, such as `--runner=FlinkRunner`. Defaults to none, for
            Beam's local runner.

    Returns:
        How many images were "real", "unsure", "fake" and "error", and how many of the unsure ones were
        "unfamiliar", that is unlike those that the detector was made for.

    Raises:
        InputError: If nothing matches a pattern, there is no model, `out` cannot be written to, or Beam
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
    counts = dict.fromkeys((*DECISIONS, ERROR, _UNFAMILIAR), 0)
    filter_ = beam.metrics.MetricsFilter().with_namespace(_NAMESPACE)
    for counter in result.metrics().query(filter_)["counters"]:
        counts[counter.key.metric.name] += counter.result
    return counts


def _check(patterns: Sequence[str], model: str, out: str) -> None:
    """Finds before workers start what would stop them all."""
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
        | beam.Partition(lambda row, _: int(row.decision == ERROR), 2)
    )
    _write((bad, unread) | beam.Flatten(), f"{prefix}errors", output="jsonl")
    _write(scored, f"{prefix}scores", output=output)


def _write(rows: beam.PCollection, prefix: str, *, output: str) -> None:
    """Counts rows and writes them."""
    records = rows | f"Count {prefix}" >> beam.Map(_count)
    if output == "parquet":
        writer: Any = beam.io.WriteToParquet(prefix, _SCHEMA, file_name_suffix=".parquet")
    else:
        records |= f"Format {prefix}" >> beam.Map(lambda row: json.dumps(row, ensure_ascii=False))
        writer = beam.io.WriteToText(prefix, file_name_suffix=".jsonl")
    records | f"Write {prefix}" >> writer


class _Read(beam.DoFn):
    """From a file to names and encoded images, several in a TFRecord file; errors aside."""

    def process(self, element: Any) -> Iterator[Any]:
        """Yields pairs that the model can decode, and rows tagged as errors."""
        path = element.metadata.path
        is_records = _RECORDS in path.rpartition("/")[2]
        try:
            for name, content in (
                _read_records(path, element) if is_records else [(path, element.read())]
            ):
                yield _convert(name, content)
        except (OSError, tf.errors.DataLossError) as error:
            yield _unread(path, str(error))


class _Handler(base.ModelHandler[tuple[str, bytes], Row, Any]):
    """Scores batches; each process loads the model once."""

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
        """Returns one row per image."""
        names, contents = zip(*batch, strict=True)
        return score(model, names, contents)

    def get_num_bytes(self, batch: Sequence[tuple[str, bytes]]) -> int:
        """Returns the size of a batch, for Beam's metrics."""
        return sum(len(content) for _, content in batch)


def score(model: Any, names: Sequence[str], contents: Sequence[bytes]) -> Iterator[Row]:
    """Scores encoded images by a SavedModel in this process.

    Args:
        model: What `tf.saved_model.load` returns.
        names: One name per image.
        contents: PNG, JPEG or WebP files.

    Yields:
        Rows.
    """
    outputs = model.signatures["predict_bytes"](image_bytes=tf.constant(contents, tf.string))
    arrays = {name: outputs[name].numpy() for name in scoring.OUTPUTS}
    texts = {name: array.astype(str) for name, array in arrays.items() if array.dtype == object}
    yield from scoring.to_rows(
        names, {name: column.tolist() for name, column in (arrays | texts).items()}
    )


def _share_of_batch(element: tuple[str, bytes]) -> int:
    """Counts an image once, a large one more often."""
    return 1 + len(element[1]) // _LARGE_BYTES


def _read_records(path: str, element: Any) -> Iterator[tuple[str, bytes | None]]:
    """Yields `path#number` and the image of each example."""
    compression = "GZIP" if path.endswith(".gz") else ""
    with tempfile.NamedTemporaryFile() as local:
        # TensorFlow knows fewer file systems than Beam.
        with element.open() as source:
            shutil.copyfileobj(source, local)
        local.flush()
        for number, record in enumerate(tf.data.TFRecordDataset(local.name, compression)):
            yield f"{path}#{number}", tf_examples.read(record.numpy())


def _convert(name: str, content: bytes | None) -> Any:
    if content is None:
        return _unread(name, tf_examples.INVALID)
    try:
        return name, encoded_image.to_served(content)
    except image_file.UnreadableError as error:
        return _unread(name, error.reason)


def _unread(name: str, reason: str) -> beam.pvalue.TaggedOutput:
    return beam.pvalue.TaggedOutput(_ERRORS, Row.unread(name, " ".join(reason.split())))


def _count(row: Row) -> dict[str, Any]:
    beam.metrics.Metrics.counter(_NAMESPACE, row.decision).inc()
    if row.is_unfamiliar:
        beam.metrics.Metrics.counter(_NAMESPACE, _UNFAMILIAR).inc()
    return dataclasses.asdict(row)
