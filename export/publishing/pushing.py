"""Candidates to live versions, and back to an older version.

Unless it is told otherwise, a server serves the highest number. So a rollback publishes the older
version again under a new number: nothing is taken away from a server that may be loading it, no
number ever means two models, and the directory shows everything that was live.
"""

import dataclasses
import datetime
import json
import os
import pathlib
import shutil
from typing import Any

from dcgan import files
from dcgan.errors import InputError
from export import sources
from export.graph import saved_model
from export.publishing import blessing, versions
from export.publishing.blessing import Candidate
from export.sources import DETECTOR, RunPath

_RECORD = "assets.extra/pushed.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pushed:
    """A live version.

    Attributes:
        path: Its SavedModel, `<base>/<name>/<version>`.
        version: Its number.
        candidate: The number of the candidate it was; None if it was pushed by other means.
        original: The number of the version it is a copy of: its own, unless it was brought back.
    """

    path: pathlib.Path
    version: int
    candidate: int | None
    original: int


def push_model(
    source: Candidate | RunPath,
    base: str | os.PathLike[str] | None = None,
    *,
    name: str = DETECTOR,
    version: int | None = None,
    keep: int = versions.KEEP,
) -> Pushed:
    """Makes a blessed candidate live.

    It appears as `<base>/<name>/<integer>` all at once, so that a server may watch `base`.

    Args:
        source: A run, or the candidate that `export_model` or `export_generator` returned.
        base: The directory of live models. Defaults to `serving/` in the run; required without a run.
        name: The model's name. Defaults to "detector"; a `Candidate` has its own.
        version: The candidate's number. Defaults to the run's newest.
        keep: How many of the newest live versions stay. Defaults to 5.

    Returns:
        The live version.

    Raises:
        InputError: If there is no candidate, it is not blessed or it was changed after its validation;
            or if the base cannot be written to.

    Example:
        >>> push_model("runs/mnist").path
        PosixPath('runs/mnist/serving/detector/1')
    """
    if isinstance(source, Candidate):
        candidate, run, name = source, None, source.name
    else:
        versions.check_name(name)
        run = sources.as_run(source)
        candidate = blessing.find(sources.candidate_base(None, run) / name, version)
    _check(candidate)
    model = sources.live_base(base, run) / name
    return _publish(candidate.path, model, {"candidate": candidate.version}, keep=keep)


def roll_back(
    source: RunPath | None,
    base: str | os.PathLike[str] | None = None,
    *,
    name: str = DETECTOR,
    version: int | None = None,
    keep: int = versions.KEEP,
) -> Pushed:
    """Makes an older version live again, as a copy under a new number.

    Args:
        source: A run, or None with a `base`.
        base: The directory of live models. Defaults to `serving/` in the run.
        name: The model's name. Defaults to "detector".
        version: Which version. Defaults to the one before the live version or, if that was itself
            brought back, to the one before its original.
        keep: How many of the newest live versions stay. Defaults to 5.

    Returns:
        The live version.

    Raises:
        InputError: If there is no older version, or the base cannot be written to.
    """
    versions.check_name(name)
    run = sources.as_run(source)
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


def find_previous(live: list[Pushed]) -> Pushed | None:
    """Returns the version that a rollback leads to by default, if there is one.

    Args:
        live: What `list_live` returns, at least one.
    """
    before = [pushed for pushed in live if pushed.version < live[-1].original]
    return before[-1] if before else None


def _check(candidate: Candidate) -> None:
    """Refuses a candidate that is not blessed, or not the model that was."""
    if not candidate.is_blessed():
        marks = candidate.marks()
        if len(marks) < 2:
            raise InputError(f"{candidate.directory}: expected a validated candidate; export it again")
        reasons = "; ".join(candidate.read_report().get("reasons", []))
        raise InputError(f"{candidate.directory}: {' and '.join(marks)}, not pushed: {reasons}")
    validated = candidate.read_report().get("digest")
    if not candidate.path.is_dir() or saved_model.digest(candidate.path) != validated:
        raise InputError(
            f"{candidate.directory}: expected the model that was validated; export it again"
        )


def _publish(source: pathlib.Path, model: pathlib.Path, record: dict[str, Any], *, keep: int) -> Pushed:
    def write(directory: pathlib.Path) -> None:
        _copy(source, directory)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        text = json.dumps({"pushed": now, **record}, indent=2) + "\n"
        (directory / _RECORD).write_text(text, encoding="utf-8")

    return _read(versions.publish(model, write, keep=keep))


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copies a tree into an empty directory; unlike `shutil.copytree`, stops at the first error."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir()
        else:
            shutil.copyfile(path, place)
    (target / "assets.extra").mkdir(exist_ok=True)


def _choose(model: pathlib.Path, version: int | None) -> Pushed:
    """Returns the version to go back to."""
    live = list_live(model)
    if not live:
        raise InputError(f"{model}: expected a live version to go back from")
    if version is None:
        if (previous := find_previous(live)) is None:
            raise InputError(f"{model}: expected a version before {live[-1].original} to go back to")
        return previous
    older = {pushed.version: pushed for pushed in live[:-1]}
    if version not in older:
        raise InputError(
            f"{model}: expected an older version's number, one of {list(older)}. Received: {version}"
        )
    return older[version]


def _read(path: pathlib.Path) -> Pushed:
    """Reads where a live version came from; one that was pushed by other means has no record."""
    version = int(path.name)
    try:
        record = files.read_json(path / _RECORD, "a record of what was pushed")
    except InputError:
        record = {}
    return Pushed(
        path=path,
        version=version,
        candidate=record.get("candidate"),
        original=record.get("original", version),
    )
