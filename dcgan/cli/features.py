"""`dcgan features`: trains feature extractors that measure samples."""

import pathlib
from typing import Annotated

import typer

from dcgan.cli.terminal import quiet
from dcgan.system import files

app = typer.Typer(help="Train a feature extractor that measures samples.", no_args_is_help=True)


@app.callback()
def features() -> None:
    """Train a feature extractor that measures samples."""


@app.command()
def fit(
    data: Annotated[
        str,
        typer.Option(
            metavar="NAME|DIR",
            help="Labelled images: a TensorFlow Datasets name, a folder with one sub-folder a class, "
            "or a folder of IDX files.",
            show_default=False,
        ),
    ],
    out: Annotated[
        pathlib.Path,
        typer.Option(metavar="FILE.keras", help="The file to write.", show_default=False),
    ],
    split: Annotated[str, typer.Option(help="Images to learn from, without test images.")] = "train",
    image_size: Annotated[
        int | None,
        typer.Option(help="Side in pixels, as in the runs.", show_default="the data's"),
    ] = None,
    channels: Annotated[
        int | None, typer.Option(help="1 or 3, as in the runs.", show_default="the data's")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
) -> None:
    """Train a feature extractor on labelled images; measure its accuracy on the test split."""
    quiet.silence_tensorflow()
    from dcgan import features
    from dcgan.cli.terminal import progress, training_progress

    console = progress.make_console()
    with progress.Parts(console) as parts:
        fitted = features.fit_extractor_file(
            files.absolute(data),
            out,
            split=split,
            image_size=image_size,
            channels=channels,
            epochs=epochs,
            seed=seed,
            callbacks=[training_progress.TrainingProgress(console, lines=parts)],
        )
    print(f"features  {out}")
    print(f"accuracy  {fitted.accuracy:.2%} of the test split")
