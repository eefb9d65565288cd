"""`dcgan score`: files and folders to a table of scores."""

import pathlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from dcgan.cli import heat_maps, score_bulk, score_files, score_output
from dcgan.cli.terminal import quiet
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory
from dcgan.system import texts

if TYPE_CHECKING:
    from dcgan.detector.detector_model import Detector
    from dcgan.scoring import Row

_RUNS = pathlib.Path("runs")


def score(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="[RUN] FILES...",
            help="A run or a detector's .keras file, then files and folders; - reads their names from "
            "standard input. Without a run, the newest one in runs/ is used; with --url, give files "
            "only. With --beam: a run or an exported version, then file patterns.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="table, jsonl or csv, on standard output; with --beam, jsonl or parquet.",
            show_default="table; with --beam, jsonl",
        ),
    ] = None,
    explain: Annotated[
        pathlib.Path | None,
        typer.Option(metavar="DIR", help="Save each image beside its heat map in this directory."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Let this server score the files: http://HOST:PORT or grpc://HOST:PORT."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="With --url: the name the model is served under.")
    ] = "detector",
    version: Annotated[
        int | None,
        typer.Option(help="With --url: a version's number.", show_default="the server's choice"),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="With --url: a version's label instead, such as stable.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.001, help="With --url: seconds that a request may take.")
    ] = 30.0,
    batch_size: Annotated[
        int, typer.Option(min=1, help="With --url: the most images per request.")
    ] = 64,
    batch_bytes: Annotated[
        int,
        typer.Option(
            min=1, help="With --url: the most bytes of images per request; a larger one travels alone."
        ),
    ] = 2**24,
    beam: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Score in bulk with Apache Beam, into files in this directory.",
        ),
    ] = None,
    beam_option: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=VALUE",
            help="With --beam: an option of the pipeline, such as runner=FlinkRunner; repeatable.",
        ),
    ] = [],  # noqa: B006 - Typer copies it.
) -> None:
    """Score images: the probability that each is generated, and a decision."""
    if "" in paths:  # Else it would be the working directory.
        raise InputError("files: expected names, found an empty one")
    if beam is not None:
        if url or explain:
            raise typer.BadParameter("--beam: expected neither --url nor --explain with it")
        score_bulk.run(paths, beam, output=output or "jsonl", options=beam_option)
        return
    output = output or "table"
    if output not in score_output.FORMATS:
        raise typer.BadParameter(f"--format: expected table, jsonl or csv. Received: {output!r}")
    if url is None:
        if version is not None or label is not None:
            raise typer.BadParameter("--version, --label: expected --url with them")
        score_output.write(_counted(_score_here(paths, explain)), output)
        return
    if explain:
        raise typer.BadParameter(
            "--explain: expected a run, whose network draws the heat maps, instead of --url"
        )
    quiet.silence_tensorflow()
    from export.client import Client

    with Client(
        url,
        model=model,
        version=version,
        label=label,
        batch_size=batch_size,
        batch_bytes=batch_bytes,
        timeout=timeout,
    ) as client:
        rows = client.score_files(score_files.names(map(pathlib.Path, paths)))
        score_output.write(_counted(rows), output)


def _counted(rows: "Iterator[Row]") -> "Iterator[Row]":
    # Not at the top: `dcgan --help` has to answer at once.
    from dcgan.cli.terminal import progress

    return progress.counted(rows, "scored")


def _score_here(paths: list[str], explain: pathlib.Path | None) -> "Iterator[Row]":
    model, names = _split([pathlib.Path(path) for path in paths])
    if not names:
        raise InputError("files: expected images or folders to score")
    quiet.silence_tensorflow()
    from dcgan import scoring
    from dcgan.detector import detector_files

    detector = detector_files.load(model)
    _say_what_to_expect(detector, model)
    on_images = heat_maps.writer(detector, explain) if explain else None
    return scoring.score_files(detector, score_files.names(names), on_images=on_images)


def _say_what_to_expect(detector: "Detector", path: pathlib.Path) -> None:
    """Says on standard error what the threshold promises, and where the detector cannot tell."""
    from dcgan.detector import certificate
    from dcgan.detector.detector_files import DetectorFiles

    if detector.calibration is None:
        print("nothing is promised: the detector is not calibrated", file=sys.stderr)
    else:
        print(f"promise: {certificate.describe(detector.calibration)}", file=sys.stderr)
    run = RunDirectory(path.parent)
    report = DetectorFiles(run).load_report() if path == run.detector else {}
    for text in report.get("headline", {}).get("warnings", []):
        print(f"WARNING: {texts.printable(text)}", file=sys.stderr)


def _split(paths: list[pathlib.Path]) -> tuple[pathlib.Path, list[pathlib.Path]]:
    """Returns the detector's file and the paths to score."""
    first = paths[0]
    if first.suffix == ".keras":
        return first, paths[1:]
    if _is_run(first):
        return _detector_of(first), paths[1:]
    runs = [path.parent for path in _RUNS.glob("*/detector.keras")]
    if not runs:
        raise InputError(f"{first}: expected a run with a detector before the files, or one in {_RUNS}/")
    return _detector_of(max(runs, key=lambda run: (run / "detector.keras").stat().st_mtime)), paths


def _is_run(path: pathlib.Path) -> bool:
    try:
        return (path / "config.json").is_file()
    except OSError:  # Such as a name that is too long.
        return False


def _detector_of(path: pathlib.Path) -> pathlib.Path:
    run = RunDirectory.open(path)
    if not run.detector.is_file():
        raise InputError(f"{path}: expected a run with a detector; `dcgan detect {path}` makes it")
    return run.detector
