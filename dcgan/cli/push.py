"""`dcgan push`: a blessed candidate goes live, or an older version comes back."""

from typing import Annotated

import typer

from dcgan.cli.options import Keep, LiveDirectory, ModelName, RunArgument
from dcgan.cli.terminal import quiet
from dcgan.runs.run_directory import RunDirectory


def push(
    run: RunArgument,
    to: LiveDirectory = None,
    name: ModelName = "detector",
    version: Annotated[
        int | None,
        typer.Option(
            help="The candidate's number; with --rollback, the older version's.",
            show_default="the newest candidate, or the version before the live one",
        ),
    ] = None,
    rollback: Annotated[
        bool,
        typer.Option("--rollback", help="Make an older live version live again, under a new number."),
    ] = False,
    keep: Keep = 5,
) -> None:
    """Make a blessed candidate live, as DIR/NAME/VERSION.

    Labels stay where `dcgan serving-config` has put them, and so do the versions they are on.
    """
    directory = RunDirectory.open(run)
    quiet.silence_tensorflow()
    from export import push_model, roll_back

    publish = roll_back if rollback else push_model
    pushed = publish(directory, to, name=name, version=version, keep=keep)
    if not pushed.added:
        print("already live, nothing to do")
    elif rollback:
        print(f"version {pushed.original} is live again, as version {pushed.version}")
    print(f"{name:10} {pushed.path}")
