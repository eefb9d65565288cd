"""A search is one directory: what lies where."""

import contextlib
import dataclasses
import json
import os
import pathlib

from dcgan import files
from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory
from tuning.search_config import SearchConfig
from tuning.space import Space


class SearchDirectory:
    """The files of one search.

    Args:
        path: The directory; it need not exist yet.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)
        self.settings = self.path / "search.json"
        self.records = self.path / "trials"
        self.checkpoints = self.path / "checkpoints"
        self.references = self.path / "references"
        self.logs = self.path / "logs"
        self.tuner = self.path / "tuner"
        self.trials_csv = self.path / "trials.csv"
        self.trials_json = self.path / "trials.json"
        self.best = self.path / "best.json"
        self.report_html = self.path / "report.html"

    def check(self, config: SearchConfig, space: Space) -> None:
        """Makes sure that the directory is new or holds this very search.

        Raises:
            InputError: If it holds another search, a run, or is a file.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path}: expected a directory to write to, found a file")
        if RunDirectory(self.path).config.is_file():
            raise InputError(f"{self.path}: holds a run, expected a directory of a search or a new one")
        if not self.settings.is_file():
            return
        started, asked = self._read(), _to_json(config, space)
        if started != json.loads(asked):
            raise InputError(
                f"{self.path}: holds another search ({_first_difference(started, json.loads(asked))}). "
                "Choose another directory with --out, or the search's own settings"
            )

    def claim(self, config: SearchConfig, space: Space) -> None:
        """Starts the search, or makes sure by `check` that it can go on.

        Raises:
            InputError: As for `check`, or if the directory cannot be written to.
        """
        self.check(config, space)
        try:
            files.write_text(self.settings, _to_json(config, space))
        except OSError as error:
            raise InputError(f"{self.path}: expected a directory to write to ({error})") from None

    def load(self) -> tuple[SearchConfig, Space]:
        """Reads what is searched.

        Raises:
            InputError: If there is no search, or its file is damaged.
        """
        values = self._read()
        try:
            return SearchConfig.from_dict(values["config"]), Space({}).change(**values["space"])
        except (InputError, KeyError, TypeError) as error:
            raise InputError(f"{self.settings}: expected the settings of a search ({error})") from None

    def load_best(self) -> RunConfig:
        """Reads the best configuration so far.

        Raises:
            InputError: If no trial has ended well.
        """
        if not self.best.is_file():
            raise InputError(f"{self.path}: expected a search of which a trial has ended well")
        return RunConfig.load(self.best)

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Keeps other processes from searching in the directory, see `RunDirectory.lock`."""
        return RunDirectory(self.path).lock()

    def _read(self) -> dict[str, dict[str, object]]:
        try:
            values = json.loads(self.settings.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path}: expected the directory of a search ({error})") from None
        if not isinstance(values, dict) or not {"config", "space"} <= set(values):
            raise InputError(f"{self.settings}: expected the settings of a search")
        return values


def _to_json(config: SearchConfig, space: Space) -> str:
    values = {"config": dataclasses.asdict(config), "space": space.to_dict()}
    return json.dumps(values, indent=1) + "\n"


def _first_difference(started: object, asked: object, name: str = "") -> str:
    if not isinstance(started, dict) or not isinstance(asked, dict):
        return f"{name}={json.dumps(started)}, not {json.dumps(asked)}"
    for key in {**started, **asked}:
        if started.get(key) != asked.get(key):
            return _first_difference(started.get(key), asked.get(key), key)
    return name
