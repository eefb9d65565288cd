"""`dcgan tune`: a search for hyper-parameters from nothing, or from where it was interrupted."""

import pathlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcgan import presets
from dcgan.cli import quiet
from dcgan.cli.options import absolute
from dcgan.config import PRECISIONS, RunConfig
from tuning.search_config import ALGORITHMS, OBJECTIVES, Budget, SearchConfig
from tuning.search_directory import SearchDirectory
from tuning.space import Space

if TYPE_CHECKING:
    from tuning.searching import SearchResult

_BASE, _SEARCH, _BUDGET = "What is trained", "Search", "When it ends"


def tune(
    data: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|DIR|FILE",
            help="Images, as for dcgan train.",
            show_default="mnist",
            rich_help_panel=_BASE,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Part of the data, as train or train[:10000].",
            show_default="train",
            rich_help_panel=_BASE,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help=f"What the space leaves alone, one of {', '.join(presets.PRESETS)}.",
            show_default="mnist",
            rich_help_panel=_BASE,
        ),
    ] = None,
    config: Annotated[
        pathlib.Path | None,
        typer.Option(help="The same from a config.json.", rich_help_panel=_BASE),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help=f"One of {', '.join(PRECISIONS)}.",
            show_default="the preset's",
            rich_help_panel=_BASE,
        ),
    ] = None,
    skip_bad: Annotated[
        bool,
        typer.Option(
            "--skip-bad", help="Leave out image files that cannot be read.", rich_help_panel=_BASE
        ),
    ] = False,
    space: Annotated[
        pathlib.Path | None,
        typer.Option(
            help="A JSON or TOML file that narrows, fixes or adds hyper-parameters.",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    algorithm: Annotated[
        str, typer.Option(help=f"One of {', '.join(ALGORITHMS)}.", rich_help_panel=_SEARCH)
    ] = SearchConfig.algorithm,
    features: Annotated[
        str | None,
        typer.Option(
            help="What measures samples: mnist, random, inception_v3 or a .keras file.",
            show_default="auto",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    objective: Annotated[
        str, typer.Option(help=f"One of {', '.join(OBJECTIVES)}.", rich_help_panel=_SEARCH)
    ] = SearchConfig.objective,
    epochs: Annotated[
        int, typer.Option(help="The most epochs of a trial.", rich_help_panel=_SEARCH)
    ] = SearchConfig.epochs,
    epoch_images: Annotated[
        int, typer.Option(help="Images that an epoch of a trial takes.", rich_help_panel=_SEARCH)
    ] = SearchConfig.epoch_images,
    seed: Annotated[int, typer.Option(help="Of the points.", rich_help_panel=_SEARCH)] = 0,
    trials: Annotated[int | None, typer.Option(help="The most trials.", rich_help_panel=_BUDGET)] = None,
    max_epochs: Annotated[
        int | None,
        typer.Option(help="The most epochs of all trials together.", rich_help_panel=_BUDGET),
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option(help="The most time.", rich_help_panel=_BUDGET)
    ] = None,
    beyond_loopback: Annotated[
        bool,
        typer.Option(
            "--beyond-loopback",
            help="Let other machines reach a chief, which has no password.",
        ),
    ] = False,
    out: Annotated[
        pathlib.Path | None,
        typer.Option(help="The search's directory.", show_default="runs/tune-DATA"),
    ] = None,
) -> None:
    """Search for hyper-parameters; the same command goes on with an interrupted search.

    Without a limit the search ends after one iteration of Hyperband, or after 20 trials.
    """
    base = _base(
        config,
        preset,
        data=data and absolute(data),
        split=split,
        precision=precision,
        features=features and (absolute(features) if features.endswith(".keras") else features),
        skip_bad=skip_bad or None,
    )
    search_config = SearchConfig(
        base=base,
        algorithm=algorithm,
        objective=objective,
        epochs=epochs,
        epoch_images=epoch_images,
        seed=seed,
    )
    chosen = Space.load(space) if space else Space()
    budget = Budget(trials=trials, epochs=max_epochs, minutes=max_minutes)
    out = out or pathlib.Path("runs") / f"tune-{pathlib.Path(base.data).stem.replace('tfds:', '')}"
    # Before anything that takes time; `tuning.search` does so again.
    chosen.check(base)
    SearchDirectory(out).check(search_config, chosen)
    _run(search_config, chosen, budget, out, beyond_loopback=beyond_loopback)


def _base(config: pathlib.Path | None, preset: str | None, **run: Any) -> RunConfig:
    if config and preset:
        raise typer.BadParameter("--config already tells what --preset would: give one of them")
    base = RunConfig.load(config) if config else presets.get(preset or "mnist")
    return presets.override(base, **{name: value for name, value in run.items() if value is not None})


def _run(
    config: SearchConfig,
    space: Space,
    budget: Budget,
    out: pathlib.Path,
    *,
    beyond_loopback: bool,
) -> None:
    quiet.silence_tensorflow()
    import rich.console
    import tensorflow as tf

    import tuning
    from dcgan.cli import search_board

    tf.config.experimental.enable_op_determinism()
    console = rich.console.Console(stderr=True)
    console.print(f"{config.base.data}, {config.algorithm}, into {out}", highlight=False, soft_wrap=True)
    try:
        with search_board.Leaders(console, config, space, budget) as board:
            result = tuning.search(
                config,
                out,
                space=space,
                budget=budget,
                beyond_loopback=beyond_loopback,
                on_change=board.show,
            )
    except KeyboardInterrupt:
        console.print("The same command goes on with the search.")
        raise
    _report(result, out)


def _report(result: "SearchResult", out: pathlib.Path) -> None:
    directory, best = result.directory, result.best
    failed = sum(record.failed for record in result.records)
    print(f"trials   {directory.trials_csv} ({len(result.records)}, {failed} failed)")
    print(f"report   {directory.report_html}")
    print(f"best     {directory.best} (trial {best.trial}, score {best.score:.4g})")
    print(f"next     dcgan train --config {directory.best} --out {out}-best")
