"""`dcgan report`: draw a report again from what the commands before have stored."""

import pathlib
from typing import Annotated

import typer

from dcgan.runs.run_directory import RunDirectory


def report(
    run: Annotated[
        pathlib.Path,
        typer.Argument(metavar="RUN", help="The directory of a run or search.", show_default=False),
    ],
) -> None:
    """Draw RUN/report.html and RUN/report.json again from the stored parts in RUN/report."""
    from dcgan import report as reports

    directory = RunDirectory(run)
    reports.draw(directory)
    print(f"report  {directory.report_html}")
    print(f"metrics {directory.report_json}")
