"""`dcgan detect`: a run's detector fitted, calibrated and evaluated."""

import contextlib
import pathlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from dcgan.cli import quiet
from dcgan.cli.options import RunArgument
from dcgan.runs.run_directory import RunDirectory

if TYPE_CHECKING:
    from dcgan.detector.step_counter import Progress


class _RunByDefault(typer.core.TyperGroup):
    """Takes `detect RUN` for `detect run RUN`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = not args or args[0] in self.commands or args[0] == "--help"
        return super().parse_args(ctx, args if named else ["run", *args])


app = typer.Typer(
    cls=_RunByDefault,
    help="Fit, calibrate and evaluate a run's detector: `dcgan detect RUN`.",
    no_args_is_help=True,
)

_Rate = Annotated[
    float | None,
    typer.Option(help="Bound on the share of reals called fake.  [default: 0.01]"),
]
_Fakes = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=PATH",
        help="A further test generator: a folder of images, a .npy or .npz file. Repeatable.",
    ),
]


@app.command()
def run(
    run: RunArgument,
    false_positive_rate: _Rate = None,
    fakes: _Fakes = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Fit, calibrate and evaluate: the word `run` may be left out."""
    directory = RunDirectory.open(run)
    named = _parse_fakes(fakes)
    directory.newest_model()
    quiet.silence_tensorflow()
    from dcgan.detector import fitting
    from dcgan.detector.evaluation import run_evaluation

    started = time.monotonic()
    with _bars() as progress:
        fitting.fit_run(directory, false_positive_rate=false_positive_rate, seed=seed, progress=progress)
    print(f"fitted in {time.monotonic() - started:.0f} s")
    with _bars() as progress:
        report = run_evaluation.evaluate_run(directory, fakes=named, progress=progress)
    _show(report, directory)


@app.command()
def calibrate(
    run: RunArgument,
    reals: Annotated[
        pathlib.Path,
        typer.Option(help="Real images of your own: a folder, a .npy or .npz file.", show_default=False),
    ],
    false_positive_rate: _Rate = None,
) -> None:
    """Set the threshold anew on your own real images."""
    directory = RunDirectory.open(run)
    quiet.silence_tensorflow()
    from dcgan.detector import recalibration

    calibration = recalibration.recalibrate_run(
        directory, reals, false_positive_rate=false_positive_rate
    )
    print(
        f"calibrated on {calibration.reals:,} reals: at most {calibration.false_positive_rate:.3%} of "
        f"such images are called fake"
    )
    print(f"detector  {directory.detector}")


@app.command()
def evaluate(run: RunArgument, fakes: _Fakes = None) -> None:
    """Measure the detector on generators that it has not seen."""
    directory = RunDirectory.open(run)
    named = _parse_fakes(fakes)
    quiet.silence_tensorflow()
    from dcgan.detector.evaluation import run_evaluation

    with _bars() as progress:
        report = run_evaluation.evaluate_run(directory, fakes=named, progress=progress)
    _show(report, directory)


def _parse_fakes(values: list[str] | None) -> dict[str, str]:
    parsed = {}
    for value in values or []:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise typer.BadParameter(f"--fakes: expected NAME=PATH. Received: {value!r}")
        parsed[name] = path
    return parsed


@contextlib.contextmanager
def _bars() -> "Iterator[Progress]":
    """Shows one bar a stage on standard error."""
    import rich.console
    import rich.progress

    bars = rich.progress.Progress(
        rich.progress.TextColumn("{task.description:16}"),
        rich.progress.BarColumn(),
        rich.progress.TaskProgressColumn(),
        rich.progress.TimeElapsedColumn(),
        rich.progress.TextColumn("left"),
        rich.progress.TimeRemainingColumn(),
        console=rich.console.Console(stderr=True),
    )
    tasks: dict[str, rich.progress.TaskID] = {}

    def progress(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage)
        bars.update(tasks[stage], completed=done, total=total)

    with bars:
        yield progress


def _show(report: dict[str, Any], directory: RunDirectory) -> None:
    """Prints AUROC by condition and generator, the baselines' means and the false positives."""
    import rich.console
    import rich.table

    generators = [name for name in report["counts"] if name != "reals"]
    table = rich.table.Table("AUROC", *generators, "mean", "worst", title_justify="left")
    for condition, rows in report["detector"].items():
        summary = report["summary"][condition]
        cells = [f"{rows[name]['auroc']:.3f}" for name in generators]
        table.add_row(condition, *cells, f"{summary['mean_auroc']:.3f}", f"{summary['worst_auroc']:.3f}")
    for baseline, conditions in report["baselines"].items():
        values = [conditions["histogram-matched"][name]["auroc"] for name in generators]
        mean = sum(values) / len(values)
        cells = [f"{value:.3f}" for value in values]
        table.add_row(f"{baseline}, histogram-matched", *cells, f"{mean:.3f}", f"{min(values):.3f}")
    rich.console.Console().print(table)
    alarms = report["false_positives"]
    print(
        f"reals called fake  {alarms['realised']:.2%}, promised at most {alarms['promised']:.2%} "
        f"(of {alarms['reals']:,} unseen reals)"
    )
    print(f"detector  {directory.detector}")
    print(f"report    {directory.detector_files / 'evaluation.json'}")
