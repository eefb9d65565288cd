"""Arguments that several subcommands share."""

import pathlib
from typing import Annotated

import typer

RunArgument = Annotated[
    pathlib.Path, typer.Argument(metavar="RUN", help="A run's directory.", show_default=False)
]

ModelName = Annotated[str, typer.Option(help="The name the model is served under.")]
Keep = Annotated[int, typer.Option(min=1, help="How many of the newest versions stay.")]
LiveDirectory = Annotated[
    pathlib.Path | None,
    typer.Option("--to", metavar="DIR", help="The directory of live models.  [default: RUN/serving]"),
]


def absolute(data: str) -> str:
    """Makes a path independent of the working directory; names of data sets stay."""
    path = pathlib.Path(data).expanduser()
    return str(path.resolve()) if path.exists() and data != "mnist" else data
