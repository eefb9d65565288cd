"""`dcgan sample`: draws images from a trained run."""

import pathlib
import sys
from typing import Annotated

import typer

from dcgan.cli.options import RunArgument
from dcgan.cli.terminal import quiet
from dcgan.runs.run_directory import RunDirectory


def sample(
    run: RunArgument,
    count: Annotated[int, typer.Option(min=1, help="How many images.")] = 16,
    grid: Annotated[pathlib.Path | None, typer.Option(help="Write one PNG with all of them.")] = None,
    npz: Annotated[
        pathlib.Path | None, typer.Option(help="Write a .npz file, uint8 under the key images.")
    ] = None,
    png_dir: Annotated[
        pathlib.Path | None, typer.Option(help="Write each image as a PNG into this directory.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the latents.")] = 0,
) -> None:
    """Draw samples; by default one grid, written to RUN/samples.png."""
    directory = RunDirectory.open(run)
    trained = directory.trained()
    if not (grid or npz or png_dir):
        grid = directory.path / "samples.png"
    quiet.silence_tensorflow()
    from dcgan import sampling

    model = sampling.load_model(trained.path)
    if not trained.finished:
        print(f"{run}: {trained.message}", file=sys.stderr)
    samples = sampling.draw(model, count, seed=seed)
    for path in sampling.write(samples, grid=grid, npz=npz, png_dir=png_dir):
        print(path)
