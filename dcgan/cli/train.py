"""`dcgan train`: starts a run, or resumes one that was interrupted."""

import os
import pathlib
from typing import Annotated, Any

import typer

from dcgan.cli import options
from dcgan.cli.terminal import quiet
from dcgan.config import NetworkConfig, RunConfig, TrainingConfig
from dcgan.data.cache import storage
from dcgan.data.cache.storage import Storage
from dcgan.errors import WorkerLostError
from dcgan.runs.run_directory import RunDirectory


def train(
    data: options.Data = None,
    split: options.Split = None,
    preset: options.Preset = None,
    config: options.ConfigFile = None,
    precision: options.Precision = None,
    features: options.Features = None,
    skip_bad: options.SkipBad = False,
    conditional: Annotated[
        bool,
        typer.Option(
            "--conditional",
            help="Train a class-conditional GAN, whose classes are those of the data's labels.",
            rich_help_panel=options.TRAINED,
        ),
    ] = False,
    image_size: Annotated[
        int | None, options.of(NetworkConfig, "image_size", show_default="the preset's")
    ] = None,
    epochs: Annotated[
        int | None, options.of(TrainingConfig, "epochs", show_default="the preset's")
    ] = None,
    batch_size: Annotated[
        int | None, options.of(TrainingConfig, "batch_size", show_default="the preset's")
    ] = None,
    loss: Annotated[str | None, options.of(TrainingConfig, "loss", show_default="the preset's")] = None,
    augmentation: Annotated[
        str | None, options.of(TrainingConfig, "augmentation", show_default="the preset's")
    ] = None,
    strategy: Annotated[
        str | None, options.of(RunConfig, "strategy", show_default=RunConfig.strategy)
    ] = None,
    seed: Annotated[int | None, options.of(RunConfig, "seed", show_default="0")] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="What the images may take in memory, such as 4GB; more of them go through a cache on "
            "disk.",
            show_default="a quarter of the machine's",
        ),
    ] = None,
    cache: Annotated[
        pathlib.Path | None,
        typer.Option(metavar="DIR", help="Where that cache is kept.", show_default="~/.cache/dcgan"),
    ] = None,
    out: Annotated[
        pathlib.Path | None,
        typer.Option(help="The run's directory.", show_default="runs/DATA-PRESET"),
    ] = None,
) -> None:
    """Train a DCGAN; the same command resumes an interrupted run."""
    run_config = options.configure(
        config,
        preset,
        network={"image_size": image_size},
        training={
            "epochs": epochs,
            "batch_size": batch_size,
            "loss": loss,
            "augmentation": augmentation,
        },
        data=data,
        split=split,
        precision=precision,
        strategy=strategy,
        features=features,
        seed=seed,
        skip_bad=skip_bad,
    )
    kept = _storage(memory, cache)
    out = out or pathlib.Path("runs") / _default_name(run_config)
    # Before anything that takes time; `training.train` does so again once no other process can write.
    RunDirectory(out).check(run_config, besides=("network.classes",) if conditional else ())
    _run(run_config, out, kept, conditional=conditional)


def _default_name(config: RunConfig) -> str:
    name = options.default_name(config.data)
    return name if name == config.preset else f"{name}-{config.preset}"


def _storage(memory: str | None, cache: pathlib.Path | None) -> Storage | None:
    """Returns where images are to be kept; None for where the run has kept them before."""
    if memory is None and cache is None:
        return None
    allowed = None if memory is None else storage.parse_size(memory, option="--memory")
    return Storage(allowed, cache)


def _run(config: RunConfig, out: pathlib.Path, kept: Storage | None, *, conditional: bool) -> None:
    quiet.silence_tensorflow()
    import tensorflow as tf

    from dcgan import distribution, training
    from dcgan.cli.terminal import progress, training_progress

    tf.config.experimental.enable_op_determinism()
    console = progress.make_console()
    # Before anything else that TensorFlow does: a cluster's workers must meet first.
    strategy = distribution.make_strategy(config.strategy)
    headline = f"{config.data}, preset {config.preset}, into {out}"
    parts = progress.Parts(console)
    bar = training_progress.TrainingProgress(console, headline=headline, lines=parts)
    try:
        with parts:
            result = training.train(
                config, out, conditional=conditional, storage=kept, strategy=strategy, callbacks=[bar]
            )
    except KeyboardInterrupt:
        console.print("The same command resumes from the last checkpoint.")
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
        console.print(f"All {first_epoch} epochs were already done.")
    print(f"model    {run.model}")
    print(f"samples  {run.samples}")
    print(f"gif      {run.progress_gif}")
    print(f"metrics  {run.metrics}")
