"""Arguments that several subcommands share."""

import pathlib
from typing import Annotated, Any

import typer

from dcgan import presets, schema
from dcgan.config import RunConfig
from dcgan.system import files

RunArgument = Annotated[
    pathlib.Path, typer.Argument(metavar="RUN", help="A run's directory.", show_default=False)
]

ModelName = Annotated[str, typer.Option(help="The name the model is served under.")]
Keep = Annotated[int, typer.Option(min=1, help="How many of the newest versions stay.")]
LiveDirectory = Annotated[
    pathlib.Path | None,
    typer.Option(
        "--to", metavar="DIR", help="The directory of live models.", show_default="RUN/serving"
    ),
]


def of(config: type[schema.Config], name: str, *flags: str, **options: Any) -> Any:
    """Returns the option for a field of a config, with the field's help.

    Args:
        config: The class of the config.
        name: The field's name.
        *flags: The option's own names. Defaults to one like the parameter's.
        **options: What else `typer.Option` takes.
    """
    return typer.Option(*flags, help=schema.describe(config, name), **options)


TRAINED = "What is trained"

Data = Annotated[
    str | None,
    of(
        *(RunConfig, "data"),
        metavar="NAME|DIR|FILE",
        show_default=RunConfig.data,
        rich_help_panel=TRAINED,
    ),
]
Split = Annotated[
    str | None, of(RunConfig, "split", show_default=RunConfig.split, rich_help_panel=TRAINED)
]
Preset = Annotated[
    str | None,
    typer.Option(
        help=f"What other values start from. One of {', '.join(presets.PRESETS)}.",
        show_default=RunConfig.preset,
        rich_help_panel=TRAINED,
    ),
]
ConfigFile = Annotated[
    pathlib.Path | None,
    typer.Option(help="A config.json to start from, instead of a preset.", rich_help_panel=TRAINED),
]
Precision = Annotated[
    str | None, of(RunConfig, "precision", show_default="the preset's", rich_help_panel=TRAINED)
]
Features = Annotated[
    str | None, of(RunConfig, "features", show_default=RunConfig.features, rich_help_panel=TRAINED)
]
SkipBad = Annotated[bool, of(RunConfig, "skip_bad", "--skip-bad", rich_help_panel=TRAINED)]


def default_name(data: str) -> str:
    """Returns what a directory is named after by default: the data set, or the file or folder."""
    return pathlib.Path(data).stem.replace("tfds:", "")


def configure(
    file: pathlib.Path | None,
    preset: str | None,
    *,
    network: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    **run: Any,
) -> RunConfig:
    """Applies options to a file or a preset.

    Args:
        file: The `config.json` to start from, if any.
        preset: The preset to start from. None stands for the default one.
        network: Values of the networks; None stands for one that was not given.
        training: Values of the training, likewise.
        **run: Values of the run, likewise.

    Raises:
        InputError: If the file cannot be read, or a value is not allowed.
    """
    if file and preset:
        raise typer.BadParameter("--config and --preset: expected one of them, not both")
    if run["data"]:
        run["data"] = files.absolute(run["data"])
    if run["features"] and run["features"].endswith(".keras"):
        run["features"] = files.absolute(run["features"])
    run["skip_bad"] = run["skip_bad"] or None
    return presets.override(
        RunConfig.load(file) if file else presets.get(preset or RunConfig.preset),
        network=_given(network or {}),
        training=_given(training or {}),
        **_given(run),
    )


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
