"""`dcgan serving-config`: the files that TF Serving starts with."""

from typing import Annotated

import typer

from dcgan.cli.options import LiveDirectory, ModelName, RunArgument
from dcgan.cli.terminal import quiet
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory


def serving_config(
    run: RunArgument,
    to: LiveDirectory = None,
    name: ModelName = "detector",
    stable: Annotated[
        int | None,
        typer.Option(help="The version with this label.", show_default="where a rollback leads"),
    ] = None,
    canary: Annotated[
        int | None, typer.Option(help="The version with this label.", show_default="the newest")
    ] = None,
    image: Annotated[str, typer.Option(help="The server's image.")] = "tensorflow/serving:2.20.0",
    address: Annotated[
        str,
        typer.Option(
            help="The IP address on which the server's ports open: 127.0.0.1 is this machine alone, "
            "0.0.0.0 every network that it is on. A server asks nobody who they are."
        ),
    ] = "127.0.0.1",
) -> None:
    """Write models.config, batching.config, monitoring.config and compose.yaml for TF Serving."""
    directory = RunDirectory.open(run)
    if (stable is None) != (canary is None):
        raise InputError("--stable, --canary: expected both or neither")
    quiet.silence_tensorflow()
    from export import Labels, write_serving_config

    labels = None if stable is None or canary is None else {name: Labels(stable, canary)}
    written = write_serving_config(to or directory.serving, labels=labels, image=image, address=address)
    for model, pair in written.labels.items():
        print(f"{model:10} stable {pair.stable}, canary {pair.canary}")
    for path in written.files:
        print(path)
    print(written.docker)
