"""Candidates to live versions, and back to an older version.

Unless it is told otherwise, a server serves the highest number. So a rollback publishes the older
version again under a new number: nothing is taken away from a server that may be loading it, no
number ever means two models, and the directory shows everything that was live. A copy gets its number
only after it was read back, byte for byte what its source was, and loaded.
"""

import dataclasses
import datetime
import json
import os
import pathlib
import shutil
from typing import Any

from dcgan.errors import InputError
from dcgan.system import files
from export import model_card, sources
from export.graph import saved_model
from export.publishing import blessing, integrity, labels, versions
from export.publishing.blessing import Candidate
from export.sources import DETECTOR, RunPath


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pushed:
    """A live version, as `push_model` returns it.

    Attributes:
        path: Its SavedModel, `<base>/<name>/<version>`.
        version: Its number.
        candidate: The number of the candidate it was; None if it was pushed by other means.
        original: The number of the version it is a copy of: its own, unless it was brought back.
        files: The digest of its files when it was pushed, see `integrity.digest`; None if it was pushed
            by other means.
        added: Whether this call made it live; False if it was live already.
    """

    path: pathlib.Path
    version: int
    candidate: int | None
    original: int
    files: str | None
    added: bool = True


def push_model(
    source: Candidate | RunPath,
    base: str | os.PathLike[str] | None = None,
    *,
    name: str = DETECTOR,
    version: int | None = None,
    keep: int = versions.KEEP,
) -> Pushed:
    """Makes a blessed candidate live.

    It appears as `<base>/<name>/<integer>` all at once, so that a server may watch `base`. If the live
    version is this candidate already, nothing happens. If `base` holds what `write_serving_config`
    wrote, the server is told to load the new version beside the labelled ones.

    Args:
        source: A run, or the candidate that `export_model` or `export_generator` returned.
        base: The directory of live models. Defaults to `serving/` in the run; required without a run.
        name: The model's name. Defaults to "detector"; a `Candidate` has its own.
        version: The candidate's number. Defaults to the run's newest.
        keep: How many of the newest live versions stay, beside those with a label. Defaults to 5.

    Returns:
        The live version.

    Raises:
        InputError: If there is no candidate, it is not blessed or it was changed after its validation;
            or if the base cannot be written to. Nothing has changed then.

    Example:
        >>> export.push_model("runs/mnist").path
        PosixPath('runs/mnist/serving/detector/2')
    """
    if isinstance(source, Candidate):
        candidate, run, name = source, None, source.name
    else:
        versions.check_name(name)
        run = sources.as_run(source)
        candidate = blessing.find(sources.candidate_base(None, run) / name, version)
    if (obstacle := candidate.find_obstacle()) is not None:
        raise InputError(f"{candidate.directory}: {obstacle}")
    model = sources.live_base(base, run) / name
    record = {"candidate": candidate.version, "files": candidate.read_report()["files"]}
    return _publish(candidate.path, model, record, keep=keep)


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
        version: Which version. Defaults to the newest of another model that is older than the live one
            or, if that was itself brought back, than its original.
        keep: How many of the newest live versions stay, beside those with a label. Defaults to 5.

    Returns:
        The live version.

    Raises:
        InputError: If there is no older version, or it is damaged; or if the base cannot be written to.
            Nothing has changed then.

    Example:
        >>> pushed = export.roll_back("runs/mnist")
        >>> pushed.path, pushed.original
        (PosixPath('runs/mnist/serving/detector/3'), 1)
    """
    versions.check_name(name)
    run = sources.as_run(source)
    model = sources.live_base(base, run) / name
    chosen = _choose(model, version)
    digest = integrity.digest(chosen.path)
    if chosen.files not in (None, digest):
        raise InputError(f"{chosen.path}: expected the files that were pushed, some have changed")
    record = {"candidate": chosen.candidate, "original": chosen.original, "files": digest}
    return _publish(chosen.path, model, record, keep=keep)


def list_live(model: pathlib.Path) -> list[Pushed]:
    """Returns a model's live versions, oldest first; a server serves the last.

    Args:
        model: `<base>/<name>`; it need not exist.
    """
    return [_read(path, version) for version, path in versions.find(model).items()]


def find_previous(live: list[Pushed]) -> Pushed | None:
    """Returns the version that a rollback leads to by default, if there is one.

    Args:
        live: What `list_live` returns, at least one.
    """
    served = _identify(live[-1])
    for pushed in reversed(live):
        if pushed.version < live[-1].original:
            model = _identify(pushed)
            # A damaged one may be any model; it is not passed over in silence.
            if model is None or model != served:
                return pushed
    return None


def _publish(source: pathlib.Path, model: pathlib.Path, record: dict[str, Any], *, keep: int) -> Pushed:
    """Makes a copy of a SavedModel live, unless the live version is one."""

    def write(directory: pathlib.Path) -> None:
        _copy(source, directory)
        if integrity.digest(directory) != record["files"]:
            raise InputError(f"{source}: expected files that stay as they are, some have changed")
        integrity.check_loads(directory, name=source)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        text = json.dumps({"pushed": now, **record}, indent=2) + "\n"
        (directory / integrity.RECORD).write_text(text, encoding="utf-8")

    with versions.locked(model.parent):
        named = labels.named_versions(model.parent, model.name)
        if (pushed := _find_copy(model, record["files"])) is not None:
            labels.follow(model.parent, model.name)
            return pushed
        path = versions.add(model, write, keep=keep, protected=named)
        try:
            labels.follow(model.parent, model.name)
        except InputError:
            versions.withdraw(path)
            raise
        return _read(path, int(path.name))


def _find_copy(model: pathlib.Path, digest: str) -> Pushed | None:
    """Returns the live version if it holds these files and still does."""
    live = list_live(model)
    try:
        is_copy = bool(live) and integrity.digest(live[-1].path) == digest
    except InputError:
        return None
    return dataclasses.replace(live[-1], added=False) if is_copy else None


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copies all files into an empty directory."""
    (target / integrity.RECORD).parent.mkdir(parents=True)
    for path in integrity.list_files(source):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target / path)


def _identify(pushed: Pushed) -> tuple[Any, ...] | None:
    """Returns what makes a version another model than others; None if it is damaged.

    That is its weights and signatures, and what its card tells of how the graph was made.
    """
    try:
        digest = saved_model.digest(pushed.path)
    except InputError:
        return None
    try:
        card = model_card.read(pushed.path)
    except InputError:
        card = {}
    return digest, card.get("max_pixels"), card.get("versions")


def _choose(model: pathlib.Path, version: int | None) -> Pushed:
    """Returns the version to go back to."""
    live = list_live(model)
    if not live:
        raise InputError(f"{model}: expected a live version to go back from")
    if version is None:
        if (previous := find_previous(live)) is None:
            raise InputError(
                f"{model}: expected another model in a version before {live[-1].original} to go back to"
            )
        return previous
    older = {pushed.version: pushed for pushed in live[:-1]}
    if version not in older:
        raise InputError(
            f"{model}: expected an older version's number, one of {list(older)}. Received: {version}"
        )
    return older[version]


def _read(path: pathlib.Path, version: int) -> Pushed:
    """Reads where a live version came from; one that was pushed by other means has no record."""
    file = path / integrity.RECORD
    try:
        record = files.read_json(file, "a record of what was pushed")
    except InputError:
        # No files have the digest of a record that is damaged.
        record = {"files": "unknown"} if os.path.lexists(file) else {}
    original = record.get("original")
    return Pushed(
        path=path,
        version=version,
        candidate=record.get("candidate"),
        original=original if isinstance(original, int) else version,
        files=record.get("files"),
    )
