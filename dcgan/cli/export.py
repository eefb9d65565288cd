"""`dcgan export`: a run as a validated SavedModel for TF Serving and TFX."""

import pathlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcgan.cli.options import Keep, ModelName, RunArgument
from dcgan.cli.terminal import quiet
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory

if TYPE_CHECKING:
    from export import Candidate, Validation

_GENERATOR = "generator"


def _bounds(text: str) -> Any:
    return typer.Option(metavar="METRIC=VALUE", help=text)


def export(
    run: RunArgument,
    name: ModelName = "detector",
    keep: Keep = 5,
    max_pixels: Annotated[
        int, typer.Option(min=1, help="Encoded images that announce more pixels get an error row.")
    ] = 2**26,
    generator: Annotated[
        bool, typer.Option("--generator", help="Also export the generator, under the name generator.")
    ] = False,
    minimum: Annotated[
        list[str] | None,
        _bounds(
            "What a metric in RUN/report.json must reach for the blessing, such as precision=0.6. "
            "Repeatable, like the next three."
        ),
    ] = None,
    maximum: Annotated[list[str] | None, _bounds("What a metric must not exceed.")] = None,
    maximum_drop: Annotated[
        list[str] | None, _bounds("How much lower than the live version's a metric may be.")
    ] = None,
    maximum_rise: Annotated[
        list[str] | None, _bounds("How much higher than the live version's a metric may be.")
    ] = None,
    against: Annotated[
        pathlib.Path | None,
        typer.Option(metavar="DIR", help="The live models to compare with.", show_default="RUN/serving"),
    ] = None,
) -> None:
    """Write a run's detector as a candidate, RUN/export/NAME/VERSION, and validate it.

    Exits with 1 if the candidate is not blessed; `dcgan push` makes a blessed one live.
    """
    if generator and name == _GENERATOR:
        raise InputError(f"--name: expected a name other than {_GENERATOR} with --generator")
    directory = RunDirectory.open(run)
    if not directory.detector.is_file():
        directory.newest_model()
    quiet.silence_tensorflow()
    from dcgan.cli.terminal import progress
    from export import Thresholds, export_generator, export_model, validate_model
    from export.validation import metric_thresholds

    bounds = {"minimum": minimum, "maximum": maximum}
    bounds |= {"maximum_drop": maximum_drop, "maximum_rise": maximum_rise}
    limits = Thresholds(
        **{
            name: metric_thresholds.parse(f"--{name.replace('_', '-')}", values)
            for name, values in bounds.items()
        }
    )
    blessed = True
    if generator:
        candidate = export_generator(directory, keep=keep)
        blessed = _show(_GENERATOR, candidate, validate_model(candidate, directory))
        print()
    with progress.busy("export and validation"):
        candidate = export_model(directory, name=name, keep=keep, max_pixels=max_pixels)
        found = validate_model(candidate, directory, limits=limits, against=against)
    note = f"  (uncalibrated: the raw discriminator; `dcgan detect {run}` makes a detector)"
    blessed &= _show(name, candidate, found, note="" if candidate.calibrated else note)
    if not blessed:
        raise typer.Exit(1)


def _show(name: str, candidate: "Candidate", found: "Validation", *, note: str = "") -> bool:
    """Prints what validation found; returns whether the candidate may be pushed."""
    print(f"digest     {candidate.digest}")
    print(f"infra      {'INFRA_BLESSED' if found.infra_blessed else 'INFRA_NOT_BLESSED'}")
    print(f"blessing   {'BLESSED' if found.blessed else 'NOT_BLESSED'}")
    for reason in found.reasons:
        print(f"           {reason}")
    if candidate.training:
        print(f"training   {candidate.training}")
    for text in found.notes:
        print(f"note       {text}")
    print(f"{name:10} {candidate.directory}{note}")
    return found.blessed and found.infra_blessed
