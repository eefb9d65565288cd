"""`dcgan train`: a run from nothing, or from where it was interrupted."""

import os
import pathlib
from typing import Annotated, Any

import typer

from dcgan import presets
from dcgan.cli import quiet
from dcgan.cli.options import absolute
from dcgan.config import PRECISIONS, STRATEGIES, RunConfig
from dcgan.errors import WorkerLostError
from dcgan.runs.run_directory import RunDirectory


def train(
    data: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|DIR|FILE",
            help="mnist (bundled), a TensorFlow Datasets name, a folder of images or of IDX files, "
            "a .npy or .npz file.",
            show_default="mnist",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Part of the data, as train or train[:10000].", show_default="train"),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(presets.PRESETS)}.", show_default="mnist")
    ] = None,
    config: Annotated[
        pathlib.Path | None,
        typer.Option(help="A config.json to start from, instead of a preset."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the data.", show_default="the preset's")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Images a step.", show_default="the preset's")
    ] = None,
    out: Annotated[
        pathlib.Path | None,
        typer.Option(help="The run's directory.", show_default="runs/DATA-PRESET"),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help=f"One of {', '.join(PRECISIONS)}.", show_default="the preset's"),
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(STRATEGIES)}.", show_default="one_device")
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            help="What measures samples: none, mnist, random, inception_v3 or a .keras file.",
            show_default="auto",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.", show_default="0")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out image files that cannot be read.")
    ] = False,
) -> None:
    """Train a DCGAN; the same command goes on with an interrupted run."""
    run_config = _configure(
        config,
        preset,
        run={"data": data and absolute(data), "split": split, "precision": precision}
        | {
            "strategy": strategy,
            "features": features and _feature_source(features),
            "seed": seed,
            "skip_bad": skip_bad or None,
        },
        training={"epochs": epochs, "batch_size": batch_size},
    )
    out = out or pathlib.Path("runs") / _default_name(run_config)
    # Before anything that takes time; `training.train` does so again once no other process can write.
    RunDirectory(out).check(run_config)
    _run(run_config, out)


def _configure(
    config: pathlib.Path | None,
    preset: str | None,
    *,
    run: dict[str, Any],
    training: dict[str, Any],
) -> RunConfig:
    """Applies the options that were given to the preset or file."""
    if config and preset:
        raise typer.BadParameter("--config already tells what --preset would: give one of them")
    base = RunConfig.load(config) if config else presets.get(preset or "mnist")
    return presets.override(
        base,
        training={name: value for name, value in training.items() if value is not None},
        **{name: value for name, value in run.items() if value is not None},
    )


def _feature_source(name: str) -> str:
    """Makes a feature extractor's file independent of the working directory."""
    return absolute(name) if name.endswith(".keras") else name


def _default_name(config: RunConfig) -> str:
    name = pathlib.Path(config.data).stem.replace("tfds:", "")
    return name if name == config.preset else f"{name}-{config.preset}"


def _run(config: RunConfig, out: pathlib.Path) -> None:
    quiet.silence_tensorflow()
    import rich.console
    import tensorflow as tf

    from dcgan import distribution, training
    from dcgan.cli import progress

    tf.config.experimental.enable_op_determinism()
    console = rich.console.Console(stderr=True)
    # Before anything else that TensorFlow does: a cluster's workers must meet first.
    strategy = distribution.make_strategy(config.strategy)
    headline = f"{config.data}, preset {config.preset}, into {out}"
    bar = progress.TrainingProgress(console, headline=headline)
    try:
        result = training.train(config, out, strategy=strategy, callbacks=[bar])
    except KeyboardInterrupt:
        console.print("The same command goes on from the last checkpoint.")
        raise
    except WorkerLostError as error:
        bar.on_train_end()
        console.print(str(error), soft_wrap=True)
        # At once: the destructors of a broken cluster's threads would report errors of their own.
        os._exit(1)
    finally:
        bar.on_train_end()
    _report(console, config, result.run, result.first_epoch, result.stopped)


def _report(
    console: Any, config: RunConfig, run: RunDirectory, first_epoch: int, stopped: str | None
) -> None:
    if stopped:
        console.print(stopped, soft_wrap=True)
        raise typer.Exit(1)
    if first_epoch == config.training.epochs:
        console.print(f"All {first_epoch} epochs were done already.")
    print(f"model    {run.model}")
    print(f"samples  {run.samples}")
    print(f"gif      {run.progress_gif}")
    print(f"metrics  {run.metrics}")
