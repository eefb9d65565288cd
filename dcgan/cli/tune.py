"""`dcgan tune`: starts a search for hyper-parameters, or resumes one that was interrupted."""

import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from dcgan.cli import options
from dcgan.cli.terminal import quiet
from tuning.search_config import Budget, SearchConfig
from tuning.search_directory import SearchDirectory
from tuning.space import Space

if TYPE_CHECKING:
    from tuning.searching import SearchResult

_SEARCH, _BUDGET = "Search", "When it ends"


def tune(
    data: options.Data = None,
    split: options.Split = None,
    preset: options.Preset = None,
    config: options.ConfigFile = None,
    precision: options.Precision = None,
    features: options.Features = None,
    skip_bad: options.SkipBad = False,
    space: Annotated[
        pathlib.Path | None,
        typer.Option(
            help="A JSON or TOML file that narrows, fixes or adds hyper-parameters.",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    algorithm: Annotated[
        str, options.of(SearchConfig, "algorithm", rich_help_panel=_SEARCH)
    ] = SearchConfig.algorithm,
    objective: Annotated[
        str, options.of(SearchConfig, "objective", rich_help_panel=_SEARCH)
    ] = SearchConfig.objective,
    epochs: Annotated[
        int, options.of(SearchConfig, "epochs", rich_help_panel=_SEARCH)
    ] = SearchConfig.epochs,
    epoch_images: Annotated[
        int, options.of(SearchConfig, "epoch_images", rich_help_panel=_SEARCH)
    ] = SearchConfig.epoch_images,
    seed: Annotated[int, options.of(SearchConfig, "seed", rich_help_panel=_SEARCH)] = SearchConfig.seed,
    trials: Annotated[int | None, options.of(Budget, "trials", rich_help_panel=_BUDGET)] = None,
    max_epochs: Annotated[int | None, options.of(Budget, "epochs", rich_help_panel=_BUDGET)] = None,
    max_minutes: Annotated[float | None, options.of(Budget, "minutes", rich_help_panel=_BUDGET)] = None,
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
    """Search for hyper-parameters; the same command resumes an interrupted search.

    Without a limit the search ends after one iteration of Hyperband, or after 20 trials.
    """
    base = options.configure(
        config,
        preset,
        data=data,
        split=split,
        precision=precision,
        features=features,
        skip_bad=skip_bad,
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
    out = out or pathlib.Path("runs") / f"tune-{options.default_name(base.data)}"
    # Before anything that takes time; `tuning.search` does so again.
    chosen.check(base)
    SearchDirectory(out).check(search_config, chosen)
    _run(search_config, chosen, budget, out, beyond_loopback=beyond_loopback)


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
    from dcgan.cli.terminal import search_board

    tf.config.experimental.enable_op_determinism()
    console = rich.console.Console(stderr=True, markup=False, emoji=False)
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
        console.print("The same command resumes the search.")
        raise
    _report(result, out)


def _report(result: "SearchResult", out: pathlib.Path) -> None:
    directory, best = result.directory, result.best
    failed = sum(record.failed for record in result.records)
    print(f"trials   {directory.trials_csv} ({len(result.records)}, {failed} failed)")
    print(f"report   {directory.report_html}")
    print(f"best     {directory.best} (trial {best.trial}, score {best.score:.4g})")
    print(f"next     dcgan train --config {directory.best} --out {out}-best")
