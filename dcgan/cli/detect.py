"""`dcgan detect`: a run's detector fitted, calibrated and evaluated."""

import pathlib
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from dcgan.cli.options import RunArgument
from dcgan.cli.terminal import consoles, quiet
from dcgan.runs.run_directory import RunDirectory

if TYPE_CHECKING:
    from dcgan.cli.terminal import progress


class _RunByDefault(typer.core.TyperGroup):
    """Takes `detect RUN` for `detect run RUN`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = not args or args[0] in self.commands or args[0] == "--help"
        return super().parse_args(ctx, args if named else ["run", *args])


app = typer.Typer(
    cls=_RunByDefault,
    help="Fit, calibrate and evaluate a run's detector: `dcgan detect RUN`. Its options: `dcgan detect "
    "run --help`.",
    no_args_is_help=True,
)

_RATE = "Bound on the share of reals called fake."
_Rate = Annotated[
    float | None,
    typer.Option(
        help=_RATE,
        show_default="0.01, or the lowest that the images can certify; with --learn that of the fit",
    ),
]
_NewRate = Annotated[
    float | None,
    typer.Option(help=_RATE, show_default="that of the fit"),
]
_CONFIDENCE = "The least probability, over draws of the calibration images, that the bound holds."
_DELIVERIES = (
    "What may happen to images on their way without breaking the bound, such as 'as they are,jpeg 75'; "
    "the word default stands for all but jpeg 40."
)
_Confidence = Annotated[
    float | None, typer.Option(help=_CONFIDENCE, show_default="0.95; with --learn that of the fit")
]
_Deliveries = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,NAME...", help=_DELIVERIES, show_default="default; with --learn those of the fit"
    ),
]
_NewConfidence = Annotated[float | None, typer.Option(help=_CONFIDENCE, show_default="that of the fit")]
_NewDeliveries = Annotated[
    str | None,
    typer.Option(metavar="NAME,NAME...", help=_DELIVERIES, show_default="those of the fit"),
]
_Fakes = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=PATH",
        help="A further generator to test on: a folder of images, a .npy or .npz file. Repeatable.",
    ),
]


_Learn = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=PATH",
        help="Fakes of a generator to learn from, at least 20: a folder of images, a .npy or .npz file. "
        "Repeatable; what was learned before stays.",
    ),
]


@app.command()
def run(
    run: RunArgument,
    false_positive_rate: _Rate = None,
    confidence: _Confidence = None,
    deliveries: _Deliveries = None,
    learn: _Learn = None,
    fakes: _Fakes = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random draw.")] = 0,
) -> None:
    """Fit, calibrate and evaluate; the word `run` may be left out.

    With --learn, a detector that is there learns from your fakes besides what it has learned before.
    Without, it is fitted anew and knows none of them.
    """
    directory = RunDirectory.open(run)
    to_learn, named = _parse_named("--learn", learn), _parse_named("--fakes", fakes)
    quiet.silence_tensorflow()
    from dcgan.detector import run_fitting
    from dcgan.detector.evaluation import run_evaluation

    started, former = time.monotonic(), _last_change(directory)
    with _parts() as parts:
        fitted = run_fitting.fit_run(
            directory,
            learn=to_learn,
            false_positive_rate=false_positive_rate,
            confidence=confidence,
            deliveries=deliveries,
            seed=seed,
            progress=parts,
        )
    if _last_change(directory) != former:
        print(f"{'learned' if to_learn else 'fitted'} in {time.monotonic() - started:.0f} s")
    with _parts() as parts:
        report = run_evaluation.evaluate_run(directory, fitted, fakes=named, progress=parts)
    _show(report, directory)


@app.command()
def calibrate(
    run: RunArgument,
    reals: Annotated[
        pathlib.Path,
        typer.Option(
            help="Real images of your own, all different: a folder, a .npy or .npz file.",
            show_default=False,
        ),
    ],
    false_positive_rate: _NewRate = None,
    confidence: _NewConfidence = None,
    deliveries: _NewDeliveries = None,
) -> None:
    """Set the threshold anew on your own real images; the detector before stays in the run."""
    directory = RunDirectory.open(run)
    quiet.silence_tensorflow()
    from dcgan.cli.terminal import progress
    from dcgan.detector import certificate, run_fitting
    from dcgan.detector.detector_files import DetectorFiles

    with progress.busy("calibration"):
        calibration = run_fitting.recalibrate_run(
            directory,
            reals,
            false_positive_rate=false_positive_rate,
            confidence=confidence,
            deliveries=deliveries,
        )
    print(f"promise   {certificate.describe(calibration)}")
    print(f"detector  {directory.detector}")
    print(f"former    {DetectorFiles(directory).former}")
    print(f"report    of the former; to measure this one: dcgan detect evaluate {directory.path}")


@app.command()
def evaluate(run: RunArgument, fakes: _Fakes = None) -> None:
    """Measure the detector on generators that it has not seen."""
    directory = RunDirectory.open(run)
    named = _parse_named("--fakes", fakes)
    quiet.silence_tensorflow()
    from dcgan.detector import detector_files
    from dcgan.detector.evaluation import run_evaluation

    fitted = detector_files.load_fitted(directory)
    with _parts() as parts:
        report = run_evaluation.evaluate_run(directory, fitted, fakes=named, progress=parts)
    _show(report, directory)


def _last_change(directory: RunDirectory) -> int | None:
    return directory.detector.stat().st_mtime_ns if directory.detector.is_file() else None


def _parse_named(option: str, values: list[str] | None) -> dict[str, str]:
    parsed: dict[str, str] = {}
    for value in values or []:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise typer.BadParameter(f"{option}: expected NAME=PATH. Received: {value!r}")
        if name in parsed:
            raise typer.BadParameter(f"{option}: expected each name once. Received twice: {name!r}")
        parsed[name] = path
    return parsed


def _parts() -> "progress.Parts":
    from dcgan.cli.terminal import progress

    return progress.Parts(progress.make_console())


def _show(report: dict[str, Any], directory: RunDirectory) -> None:
    """Prints the headline, then AUROC by delivery and generator beside the reals called fake."""
    import rich.table

    headline, rates = report["headline"], report["false_positives"]
    for text in [f"WARNING: {text}" for text in headline["warnings"]] + headline["sentences"]:
        print(text)
    generators = list(report["generators"])
    first = rich.table.Column("AUROC", no_wrap=True)
    table = rich.table.Table(first, *generators, "mean", "reals called fake")
    for name, row in sorted(report["summary"].items(), key=lambda entry: entry[1]["mean_auroc"]):
        values = [report["detector"][name][generator]["auroc"] for generator in generators]
        alarms = f"{rates['realised'][name]:.2%}" if name in rates["realised"] else ""
        table.add_row(name, *(f"{value:.3f}" for value in [*values, row["mean_auroc"]]), alarms)
    consoles.output().print(table)
    print(f"detector  {directory.detector}")
    print(f"report    {directory.report_html}")
