"""`dcgan export`: a run as a SavedModel for TF Serving and TFX, validated."""

import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from dcgan.cli import quiet
from dcgan.cli.options import ModelName, RunArgument
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory

if TYPE_CHECKING:
    from export import Exported, Validation

_GENERATOR = "generator"


def export(
    run: RunArgument,
    name: ModelName = "detector",
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest candidates stay.")] = 5,
    max_pixels: Annotated[
        int, typer.Option(min=1, help="Encoded images that announce more get an error row.")
    ] = 2**24,
    generator: Annotated[
        bool, typer.Option("--generator", help="Export the generator, too, as the model generator.")
    ] = False,
    minimum: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=VALUE",
            help="What a figure of RUN/report.json must reach to be blessed, such as precision=0.6. "
            "Repeatable, as are the next three.",
        ),
    ] = None,
    maximum: Annotated[
        list[str] | None, typer.Option(metavar="METRIC=VALUE", help="What it must not exceed.")
    ] = None,
    maximum_drop: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC=VALUE", help="How much lower than the live version's it may be."),
    ] = None,
    maximum_rise: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC=VALUE", help="How much higher than the live version's it may be."),
    ] = None,
    against: Annotated[
        pathlib.Path | None,
        typer.Option(metavar="DIR", help="Where live models are.  [default: RUN/serving]"),
    ] = None,
) -> None:
    """Write a run's detector as a candidate, RUN/export/NAME/VERSION, and validate it.

    Exits with 1 if the candidate is not blessed; `dcgan push` makes a blessed one live.
    """
    if generator and name == _GENERATOR:
        raise InputError(f"--name: expected another name than {_GENERATOR} beside --generator")
    directory = RunDirectory.open(run)
    if not directory.detector.is_file():
        directory.newest_model()
    quiet.silence_tensorflow()
    from export import Thresholds, export_generator, export_model, validate_model
    from export.validation import metric_thresholds

    limits = Thresholds(
        minimum=metric_thresholds.parse("--minimum", minimum),
        maximum=metric_thresholds.parse("--maximum", maximum),
        maximum_drop=metric_thresholds.parse("--maximum-drop", maximum_drop),
        maximum_rise=metric_thresholds.parse("--maximum-rise", maximum_rise),
    )
    blessed = True
    if generator:
        drawing = export_generator(directory, keep=keep)
        blessed = _show(_GENERATOR, drawing, validate_model(drawing, directory))
        print()
    exported = export_model(directory, name=name, keep=keep, max_pixels=max_pixels)
    found = validate_model(exported, directory, limits=limits, against=against)
    blessed &= _show(name, exported, found, note="" if exported.calibrated else _uncalibrated(run))
    if not blessed:
        raise typer.Exit(1)


def _show(name: str, exported: "Exported", found: "Validation", *, note: str = "") -> bool:
    """Prints what came of a candidate; returns whether it may be pushed."""
    print(f"digest     {exported.digest}")
    print(f"infra      {'INFRA_BLESSED' if found.infra_blessed else 'INFRA_NOT_BLESSED'}")
    print(f"blessing   {'BLESSED' if found.blessed else 'NOT_BLESSED'}")
    for reason in found.reasons:
        print(f"           {reason}")
    print(f"{name:10} {exported.candidate}{note}")
    return found.blessed and found.infra_blessed


def _uncalibrated(run: pathlib.Path) -> str:
    return f"  (uncalibrated: the raw discriminator; `dcgan detect {run}` makes a detector)"
