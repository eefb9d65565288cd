"""`dcgan score --beam`: millions of images, on any runner of Apache Beam."""

import logging
import pathlib

import typer

from dcgan.cli.terminal import quiet
from dcgan.errors import InputError

_FORMATS = ("jsonl", "parquet")
_SAVED_MODEL = "saved_model.pb"


def run(paths: list[str], out: str, *, output: str, options: list[str]) -> None:
    """Scores the files that match; prints the number of each decision and of unfamiliar images.

    Args:
        paths: A run or an exported version, then patterns.
        out: The directory to write to.
        output: "jsonl" or "parquet".
        options: Beam's options, as "name=value" or "name".

    Raises:
        typer.Exit: With code 1 if nothing could be scored.
    """
    if output not in _FORMATS:
        raise typer.BadParameter(f"--format: expected jsonl or parquet. Received: {output!r}")
    if len(paths) < 2:
        raise InputError("files: expected a run or an exported version, then patterns of files")
    model = _find_version(paths[0])
    quiet.silence_tensorflow()
    logging.getLogger().setLevel(logging.ERROR)
    # What it logs is raised as well.
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    from dcgan import scoring
    from dcgan.cli.terminal import progress

    try:
        from export import bulk
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name}: expected to be installed; `pip install 'dcgan[beam]'`"
        ) from None

    with progress.busy("scoring in bulk"):
        counts = bulk.score_bulk(
            paths[1:], model, out, output=output, options=[f"--{option}" for option in options]
        )
    for decision, count in counts.items():
        print(f"{decision:10} {count}")
    print(f"scores     {out.rstrip('/')}/scores-*.{output}")
    print(f"errors     {out.rstrip('/')}/errors-*.jsonl")
    if not any(counts[decision] for decision in scoring.DECISIONS):
        raise typer.Exit(1)


def _find_version(model: str) -> str:
    """Returns an exported version's directory, or a run's newest live version."""
    path = pathlib.Path(model)
    if "://" in model or (path / _SAVED_MODEL).is_file():
        return model
    published = path / "serving" / "detector"
    from export.publishing import versions

    found = versions.find(published)
    if not found:
        raise InputError(
            f"{model}: expected an exported version, or a run with one in {published}; "
            "`dcgan export` and `dcgan push` make it"
        )
    return str(list(found.values())[-1])
