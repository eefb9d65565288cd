"""`dcgan evaluate`: measure a run's samples."""

from typing import Annotated

import typer

from dcgan.cli.options import RunArgument
from dcgan.cli.terminal import consoles, quiet
from dcgan.runs.run_directory import RunDirectory


def evaluate(
    run: RunArgument,
    features: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="mnist, learned, random, inception_v3 or a .keras file.",
            show_default="the run's",
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=10, help="How many samples to measure.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every draw.")] = 0,
) -> None:
    """Measure a run's samples against real images, into RUN/report.json and RUN/report.html."""
    RunDirectory.open(run).newest_model()
    quiet.silence_tensorflow()
    import rich.table

    from dcgan import evaluation
    from dcgan.cli.terminal import progress

    with progress.Parts(progress.make_console()) as parts:
        report = evaluation.evaluate(run, features=features, count=count, seed=seed, progress=parts)
    table = rich.table.Table("metric", "samples", "floor", "better", box=None)
    for score in report.scores.values():
        floor = "" if score.floor is None else f"{score.floor:.4g}"
        better = "higher" if score.higher_is_better else "lower"
        table.add_row(score.name, f"{score.value:.4g}", floor, better)
    console = consoles.output()
    console.print(table)
    for note in report.notes:
        console.print(note, highlight=False)
    print(f"report  {report.html}")
    print(f"metrics {report.json}")
