"""`dcgan sample`: draws images from a trained run."""

import pathlib
import sys
from typing import Annotated

import typer

from dcgan.cli.options import RunArgument
from dcgan.cli.terminal import quiet
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory


def sample(
    run: RunArgument,
    count: Annotated[int, typer.Option(min=1, help="How many images.")] = 16,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|NAME",
            help="The class to draw from a conditional run.",
            show_default="all, in proportion to the data",
        ),
    ] = None,
    grid: Annotated[pathlib.Path | None, typer.Option(help="Write one PNG with all of them.")] = None,
    npz: Annotated[
        pathlib.Path | None,
        typer.Option(help="Write a .npz file, uint8 under the key images, classes under labels."),
    ] = None,
    png_dir: Annotated[
        pathlib.Path | None, typer.Option(help="Write each image as a PNG into this directory.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the latents.")] = 0,
) -> None:
    """Draw samples; by default one grid, written to RUN/samples.png."""
    directory = RunDirectory.open(run)
    trained = directory.trained()
    classes = directory.load_config().network.classes
    if label is not None and not classes:
        raise InputError(f"--label: expected a conditional run (dcgan train --conditional), not {run}")
    if not (grid or npz or png_dir):
        grid = directory.path / "samples.png"
    quiet.silence_tensorflow()
    from dcgan import sampling
    from dcgan.data import class_labels, provenance

    number = None
    if label is not None:
        names = provenance.read_class_names(directory)
        number = class_labels.find(label, classes=classes, names=names)
    model = sampling.load_model(trained.path)
    if not trained.finished:
        print(f"{run}: {trained.message}", file=sys.stderr)
    labels = model.sample_labels(count, number, seed=seed) if classes else None
    samples = sampling.draw(model, count, labels=labels, seed=seed)
    for path in sampling.write(samples, labels=labels, grid=grid, npz=npz, png_dir=png_dir):
        print(path)
