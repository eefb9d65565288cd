"""Candidates to live versions, and back to an older one.

A server that is not told otherwise serves the highest number. So a rollback publishes the older
version once more under a new number: nothing is taken from a server that may be loading it, no
number ever means two models, and what was live is all there to be read.
"""

import dataclasses
import datetime
import json
import os
import pathlib
import shutil
from typing import Any

from dcgan.errors import InputError
from export import sources
from export.exporting import KEEP, Exported
from export.graph import saved_model
from export.publishing import candidates, versions
from export.publishing.candidates import Candidate
from export.sources import DETECTOR, RunPath

_FILE = "assets.extra/pushed.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pushed:
    """A live version.

    Attributes:
        path: Its SavedModel, `<base>/<name>/<version>`.
        version: Its number.
        candidate: The number of the candidate that it was; None if it was pushed by other means.
        original: The number of the version that it is a copy of: its own unless it was brought back.
    """

    path: pathlib.Path
    version: int
    candidate: int | None
    original: int


def push_model(
    source: Exported | RunPath,
    base: str | os.PathLike[str] | None = None,
    *,
    name: str = DETECTOR,
    version: int | None = None,
    keep: int = KEEP,
) -> Pushed:
    """Makes a blessed candidate live.

    It appears as `<base>/<name>/<integer>` all at once, so that a server may watch `base`.

    Args:
        source: A run; or what `export_model` or `export_generator` returned.
        base: The directory of live models. Defaults to `serving/` in the run; needed without one.
        name: The model's name. Defaults to "detector"; of an `Exported`, it is its own.
        version: The number of the candidate. Defaults to the run's newest.
        keep: How many of the newest live versions stay. Defaults to 5.

    Returns:
        The live version.

    Raises:
        InputError: If the candidate is not blessed, is no longer what was validated, or there is
            none; or if nothing can be written there.

    Example:
        >>> push_model("runs/mnist").path
        PosixPath('runs/mnist/serving/detector/1')
    """
    if isinstance(source, Exported):
        candidate, run, name = Candidate(source.candidate), None, source.candidate.parent.name
    else:
        versions.check_name(name)
        run = sources.as_run(source)
        candidate = candidates.find(sources.candidate_base(None, run) / name, version)
    _check(candidate)
    model = sources.live_base(base, run) / name
    return _publish(candidate.model, model, {"candidate": candidate.version}, keep=keep)


def roll_back(
    source: RunPath | None,
    base: str | os.PathLike[str] | None = None,
    *,
    name: str = DETECTOR,
    version: int | None = None,
    keep: int = KEEP,
) -> Pushed:
    """Makes an older version live again, by a copy of it under a new number.

    Args:
        source: A run, or None with a `base`.
        base: The directory of live models. Defaults to `serving/` in the run.
        name: The model's name. Defaults to "detector".
        version: Which version. Defaults to the one before the live version; if that is itself one
            that was brought back, to the one before its original.
        keep: How many of the newest live versions stay. Defaults to 5.

    Returns:
        The live version.

    Raises:
        InputError: If there is no older version, or nothing can be written there.
    """
    versions.check_name(name)
    run = None if source is None else sources.as_run(source)
    model = sources.live_base(base, run) / name
    chosen = _choose(model, version)
    record = {"candidate": chosen.candidate, "original": chosen.original}
    return _publish(chosen.path, model, record, keep=keep)


def list_live(model: pathlib.Path) -> list[Pushed]:
    """Returns a model's live versions, oldest first; a server serves the last.

    Args:
        model: `<base>/<name>`; it need not exist.
    """
    return [_read(model / str(version)) for version in versions.list_versions(model)]


def _check(candidate: Candidate) -> None:
    """Refuses what is not blessed, or not the model that was."""
    if not candidate.is_blessed():
        marks = candidate.marks()
        if len(marks) < 2:
            raise InputError(f"{candidate.path}: expected a validated candidate; export it again")
        reasons = "; ".join(candidate.read_report().get("reasons", []))
        raise InputError(f"{candidate.path}: {' and '.join(marks)}, not pushed: {reasons}")
    validated = candidate.read_report().get("digest")
    if not candidate.model.is_dir() or saved_model.digest(candidate.model) != validated:
        raise InputError(f"{candidate.path}: expected the model that was validated; export it again")


def _publish(source: pathlib.Path, model: pathlib.Path, record: dict[str, Any], *, keep: int) -> Pushed:
    def write(directory: pathlib.Path) -> None:
        _copy(source, directory)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        text = json.dumps({"pushed": now, **record}, indent=2) + "\n"
        (directory / _FILE).write_text(text, encoding="utf-8")

    return _read(versions.publish(model, write, keep=keep))


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copies a tree into an empty directory; unlike `shutil.copytree`, ends with the first error."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir()
        else:
            shutil.copyfile(path, place)
    (target / "assets.extra").mkdir(exist_ok=True)


def _choose(model: pathlib.Path, version: int | None) -> Pushed:
    """Returns the version to go back to."""
    found = list_live(model)
    if not found:
        raise InputError(f"{model}: expected a live version to go back from")
    if version is not None:
        chosen = [pushed for pushed in found[:-1] if pushed.version == version]
        wanted = f"an older version's number, one of {[pushed.version for pushed in found[:-1]]}"
    else:
        chosen = [pushed for pushed in found if pushed.version < found[-1].original]
        wanted = f"a version before {found[-1].original} to go back to"
    if not chosen:
        received = "" if version is None else f". Received: {version}"
        raise InputError(f"{model}: expected {wanted}{received}")
    return chosen[-1]


def _read(path: pathlib.Path) -> Pushed:
    """Reads where a live version came from; one that was pushed by other means has no record."""
    version = int(path.name)
    try:
        record = json.loads((path / _FILE).read_text(encoding="utf-8"))
        candidate, original = record["candidate"], record.get("original", version)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        candidate, original = None, version
    return Pushed(path=path, version=version, candidate=candidate, original=original)
