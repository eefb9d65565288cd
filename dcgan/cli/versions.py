"""`dcgan versions`: what was exported and what is live."""

import pathlib
from typing import TYPE_CHECKING

from dcgan.cli.options import LiveDirectory, ModelName, RunArgument
from dcgan.cli.terminal import consoles, quiet
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory

if TYPE_CHECKING:
    from export import Candidate

_DIGEST = len("sha256:") + 12


def versions(run: RunArgument, to: LiveDirectory = None, name: ModelName = "detector") -> None:
    """List a run's candidates with their blessings, and the live versions."""
    directory = RunDirectory.open(run)
    quiet.silence_tensorflow()
    import rich.table

    from export.publishing import blessing, labels, pushing
    from export.publishing import versions as numbers

    numbers.check_name(name)
    console = consoles.output()
    made = blessing.list_candidates(directory.candidates / name)
    table = rich.table.Table("candidate", "digest", "validation", box=None)
    for candidate in made:
        table.add_row(str(candidate.version), _digest(candidate.path), _validation(candidate))
    if made:
        console.print(table)
    else:
        print(f"no candidates; `dcgan export {run}` makes one")
    base = to or directory.serving
    live, labelled = pushing.list_live(base / name), labels.read(base).get(name, {})
    table = rich.table.Table("version", "digest", "candidate", "", box=None)
    for pushed in live:
        notes = [f"copy of {pushed.original}"] if pushed.original != pushed.version else []
        notes += ["live"] if pushed is live[-1] else []
        notes += [label for label, number in labelled.items() if number == pushed.version]
        origin = "" if pushed.candidate is None else str(pushed.candidate)
        table.add_row(str(pushed.version), _digest(pushed.path), origin, ", ".join(notes))
    if live:
        console.print(table)
    else:
        print(f"nothing live; `dcgan push {run}` makes a blessed candidate live")
    for label, number in labelled.items():
        if number not in {pushed.version for pushed in live}:
            print(f"{label}: version {number} is gone; `dcgan serving-config {run}` sets labels anew")


def _validation(candidate: "Candidate") -> str:
    """Returns a candidate's marks, and why it may not be pushed in spite of them."""
    marks = ", ".join(candidate.marks()) or "not validated"
    if "NOT" in marks.upper() or candidate.is_blessed():
        return marks
    return f"{marks}, but changed since"


def _digest(model: pathlib.Path) -> str:
    """Returns the beginning of the digest on a SavedModel's card; other people's models have none."""
    from export import model_card

    try:
        return str(model_card.read(model)["digest"])[:_DIGEST]
    except (InputError, KeyError):
        return "?"
