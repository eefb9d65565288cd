"""`dcgan versions`: what was exported and what is live."""

import pathlib

from dcgan.cli import quiet
from dcgan.cli.options import LiveDirectory, ModelName, RunArgument
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory

_DIGEST = len("sha256:") + 12


def versions(run: RunArgument, to: LiveDirectory = None, name: ModelName = "detector") -> None:
    """List a run's candidates with their blessings, and the live versions."""
    directory = RunDirectory.open(run)
    quiet.silence_tensorflow()
    import rich.console
    import rich.table

    from export.publishing import blessing, pushing
    from export.publishing import versions as numbers

    numbers.check_name(name)
    console = rich.console.Console(soft_wrap=True, markup=False, emoji=False)
    made = blessing.list_candidates(directory.candidates / name)
    table = rich.table.Table("candidate", "digest", "validation", box=None)
    for candidate in made:
        marks = ", ".join(candidate.marks()) or "not validated"
        table.add_row(str(candidate.version), _digest(candidate.path), marks)
    if made:
        console.print(table)
    else:
        print(f"no candidates; `dcgan export {run}` makes one")
    live = pushing.list_live((to or directory.serving) / name)
    table = rich.table.Table("version", "digest", "candidate", "", box=None)
    for pushed in live:
        notes = [f"copy of {pushed.original}"] if pushed.original != pushed.version else []
        notes += ["live"] if pushed is live[-1] else []
        origin = "" if pushed.candidate is None else str(pushed.candidate)
        table.add_row(str(pushed.version), _digest(pushed.path), origin, ", ".join(notes))
    if live:
        console.print(table)
    else:
        print(f"nothing live; `dcgan push {run}` makes a blessed candidate live")


def _digest(model: pathlib.Path) -> str:
    """Returns the beginning of the digest on a SavedModel's card; other people's models have none."""
    from export import model_card

    try:
        return str(model_card.read(model)["digest"])[:_DIGEST]
    except (InputError, KeyError):
        return "?"
