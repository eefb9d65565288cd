"""Bulk scoring: an Apache Beam pipeline over an exported version, for any runner.

Images come as files, or as `image_bytes` of `tf.Example`s in TFRecord files. Rows with a score and
rows with an error go to separate files, so that a bad image stops nothing.
"""

import contextlib
import dataclasses
import errno
import io
import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
from apache_beam.io.filesystems import FileSystems
from apache_beam.ml.inference import base
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.runner import PipelineState

from dcgan import errors, scoring
from dcgan.data.folders import folder_walk
from dcgan.errors import InputError
from dcgan.scoring import DECISIONS, ERROR, Row
from dcgan.system import texts
from export.bulk_input import matching, reading

_SIGNATURE = "predict_bytes"
_SCORES, _ERRORS = "scores", "errors"
_UNFAMILIAR = "unfamiliar"
_BATCH_SIZE = 256
_LARGE_BYTES = 2**16
_NAMESPACE = "dcgan"
# What Beam's local runner says when a process of its own was killed.
_LOST = "Channel closed prematurely"
# It also drops what a bundle ends with.
_MIXES_OUTPUTS = {"dask", "daskrunner"}
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
        patterns: File patterns in any file system that Beam knows, such as `gs://bucket/photos/**`, see
            `matching.match`. Files with ".tfrecord" in their name are TFRecord files of
            `tf.Example`s, uncompressed or `.gz`; others are images in any format that
            `dcgan.data` reads.
        model: An exported version's directory, which every worker can read.
        out: The directory to write to, without results of an earlier call.
        output: "jsonl" or "parquet", for the scores. Defaults to "jsonl".
        options: Beam's pipeline options, such as `--runner=FlinkRunner`. Defaults to none, for
            Beam's local runner.

    Returns:
        How many images were "real", "unsure", "fake" and "error", and how many of the unsure ones were
        "unfamiliar", that is unlike those that the detector was made for.

    Raises:
        InputError: If nothing matches a pattern, the model cannot be loaded, `out` cannot be written to
            or holds results, Beam has no such runner, or the runner gives up.
        OSError: If the disk is full.

    Example:
        >>> counts = export.score_bulk(["photos/*.png"], "runs/mnist/serving/detector/2", "scores")
        >>> counts["error"]
        0
    """
    _check(patterns, model, out)
    pipeline = _make_pipeline(options)
    _build(pipeline, patterns, model, f"{out.rstrip('/')}/", output=output)
    result = _run(pipeline)
    counts = dict.fromkeys((*DECISIONS, ERROR, _UNFAMILIAR), 0)
    filter_ = beam.metrics.MetricsFilter().with_namespace(_NAMESPACE)
    for counter in result.metrics().query(filter_)["counters"]:
        counts[counter.key.metric.name] += counter.result
    return counts


def _make_pipeline(options: Sequence[str]) -> beam.Pipeline:
    parsed, said = PipelineOptions(list(options)), io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            runner = parsed.view_as(StandardOptions).runner or ""
            if runner.rpartition(".")[2].lower() in _MIXES_OUTPUTS:
                raise ValueError(
                    f"expected a runner that keeps a transform's outputs apart, which {runner} does not"
                )
            parsed.get_all_options()
            return beam.Pipeline(options=parsed)
    except SystemExit:  # How Beam's parser ends.
        reason = said.getvalue().strip().rpartition("\n")[2].partition("error: ")[2]
    except (AttributeError, ImportError, ValueError) as error:
        reason = errors.first_line(error)
    raise InputError(f"Beam's options: {reason}")


def _run(pipeline: beam.Pipeline) -> Any:
    try:
        result = pipeline.run()
        state = result.wait_until_finish()
    except Exception as error:  # Runners raise errors of their own, which name the first cause.
        for code in (errno.ENOSPC, errno.EDQUOT):
            if os.strerror(code) in str(error):
                raise OSError(code, os.strerror(code)) from error
        if _LOST in str(error):
            raise InputError(
                "Beam: expected processes that run to the end, one was lost. Nothing is scored; run the "
                "same command again"
            ) from error
        raise
    if state != PipelineState.DONE:
        raise InputError(f"Beam: expected a pipeline that ends as DONE; it ended as {state}")
    return result


def _check(patterns: Sequence[str], model: str, out: str) -> None:
    """Finds before workers start what would stop them all."""
    _check_model(model)
    for pattern in patterns:
        with _known_file_system(pattern):
            found = next(matching.match(pattern, limit=1), None)
        if not found or folder_walk.is_folder(pathlib.Path(pattern)):
            raise InputError(f"{pattern}: expected a pattern that files match, such as photos/**")
    with _known_file_system(out):
        _check_out(out)


def _check_model(model: str) -> None:
    if not tf.io.gfile.exists(f"{model}/saved_model.pb"):
        raise InputError(f"{model}: expected an exported version, one that holds saved_model.pb")
    try:
        signatures = tf.saved_model.load(model).signatures
    except Exception as error:  # Of many types on damaged files.
        raise InputError(f"{model}: expected an exported version that can be loaded") from error
    if _SIGNATURE not in signatures:
        raise InputError(f"{model}: expected an exported version with the signature {_SIGNATURE}")


def _check_out(out: str) -> None:
    names = [f"{out.rstrip('/')}/{kind}-*" for kind in (_SCORES, _ERRORS)]
    if not matching.is_remote(out):
        directory = pathlib.Path(out).absolute()
        if set("*?[") & set(str(directory)):
            raise InputError(f"{directory}: expected a directory without *, ? and [ in its path")
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{out}: expected a directory to write to ({error.strerror})") from None
        if not os.access(directory, os.W_OK):
            raise InputError(f"{out}: expected a directory to write to (Permission denied)")
        found = [path for name in names for path in directory.glob(pathlib.Path(name).name)]
    else:
        results = FileSystems.match(names, limits=[1] * len(names))
        found = [pathlib.Path(file.path) for result in results for file in result.metadata_list]
    if found:
        raise InputError(
            f"{out}: expected a directory without results of an earlier call, found {found[0].name}"
        )


@contextlib.contextmanager
def _known_file_system(path: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = errors.first_line(error)
        raise InputError(f"{path}: expected a file system that Beam can use ({reason})") from None


def _build(
    pipeline: beam.Pipeline, patterns: Sequence[str], model: str, prefix: str, *, output: str
) -> None:
    found, unlisted = (
        pipeline
        | beam.Create([reading.to_bytes(pattern) for pattern in patterns])
        | beam.ParDo(reading.Match()).with_outputs(reading.ERRORS, main="found")
    )
    images, unread = (
        found | beam.Reshuffle() | beam.ParDo(reading.Read()).with_outputs(reading.ERRORS, main="images")
    )
    scored, bad = (
        images
        | base.RunInference(_Handler(model))
        | beam.Partition(lambda row, _: int(row.decision == ERROR), 2)
    )
    _write((bad, unread, unlisted) | beam.Flatten(), f"{prefix}{_ERRORS}", output="jsonl")
    _write(scored, f"{prefix}{_SCORES}", output=output)


def _write(rows: beam.PCollection, prefix: str, *, output: str) -> None:
    """Counts rows and writes them."""
    counted = rows | f"Count {prefix}" >> beam.Map(_count)
    if output == "parquet":
        make: Any = _to_record
        writer: Any = beam.io.WriteToParquet(prefix, _SCHEMA, file_name_suffix=".parquet")
    else:
        make = _to_json
        writer = beam.io.WriteToText(prefix, file_name_suffix=".jsonl")
    counted | f"Format {prefix}" >> beam.Map(make) | f"Write {prefix}" >> writer


class _Handler(base.ModelHandler[tuple[bytes, bytes], Row, Any]):
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
        batch: Sequence[tuple[bytes, bytes]],
        model: Any,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[Row]:
        """Returns one row per image."""
        names, contents = zip(*batch, strict=True)
        return score(model, list(map(reading.to_text, names)), contents)

    def get_num_bytes(self, batch: Sequence[tuple[bytes, bytes]]) -> int:
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
    outputs = model.signatures[_SIGNATURE](image_bytes=tf.constant(contents, tf.string))
    arrays = {name: outputs[name].numpy() for name in scoring.OUTPUTS}
    texts = {name: array.astype(str) for name, array in arrays.items() if array.dtype == object}
    yield from scoring.to_rows(
        names, {name: column.tolist() for name, column in (arrays | texts).items()}
    )


def _share_of_batch(element: tuple[bytes, bytes]) -> int:
    """Counts an image once, a large one more often."""
    return 1 + len(element[1]) // _LARGE_BYTES


def _count(row: Row) -> Row:
    beam.metrics.Metrics.counter(_NAMESPACE, row.decision).inc()
    if row.is_unfamiliar:
        beam.metrics.Metrics.counter(_NAMESPACE, _UNFAMILIAR).inc()
    return row


def _to_json(row: Row) -> str:
    return texts.to_json(dataclasses.asdict(row))


def _to_record(row: Row) -> dict[str, Any]:
    """Returns a row for Parquet, whose texts are UTF-8: other bytes of a name become escapes."""
    values = dataclasses.asdict(row)
    return values | {"file": row.file.encode("utf-8", "backslashreplace").decode()}
