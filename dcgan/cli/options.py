"""Arguments that several subcommands share."""

import pathlib
from typing import Annotated

import typer

RunArgument = Annotated[
    pathlib.Path, typer.Argument(metavar="RUN", help="A run's directory.", show_default=False)
]
