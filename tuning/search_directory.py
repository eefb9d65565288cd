"""A search is one directory: its files."""

import contextlib
import dataclasses
import json
import os
import pathlib
from typing import Any

from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory
from dcgan.system import files
from tuning.search_config import SearchConfig
from tuning.space import Space


class SearchDirectory:
    """The files of one search.

    Args:
        path: The directory; it need not exist yet.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)
        self.config = self.path / "search.json"
        self.records = self.path / "trials"
        self.checkpoints = self.path / "checkpoints"
        self.references = self.path / "references"
        self.tuner = self.path / "tuner"
        self.oracle = self.tuner / "state.json"
        self.trials_csv = self.path / "trials.csv"
        self.trials_json = self.path / "trials.json"
        self.best = self.path / "best.json"
        self.report_html = self.path / "report.html"

    def check(self, config: SearchConfig, space: Space) -> None:
        """Checks that the directory is new or holds this very search.

        Raises:
            InputError: If it holds another search, a run, or is a file.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path}: expected a directory to write to, found a file")
        if RunDirectory(self.path).config.is_file():
            raise InputError(f"{self.path}: holds a run, expected a search or a new directory")
        if not self.config.is_file():
            return
        started = self._read()
        asked = json.loads(_to_json(config, space, images=started.get("images", "")))
        difference = _first_difference(started, asked)
        if difference:
            raise InputError(
                f"{self.path}: holds another search ({difference}). Choose another directory by --out, "
                "or repeat that search's options"
            )

    def claim(self, config: SearchConfig, space: Space, *, images: str) -> None:
        """Starts the search, or checks that it can continue.

        Args:
            config: The search.
            space: What may change.
            images: The digests of its images.

        Raises:
            InputError: As for `check`, if it was started with other images, or if the directory cannot
                be written to.
        """
        self.check(config, space)
        if self.config.is_file() and self._read()["images"] != images:
            raise InputError(
                f"{self.path}: holds a search on other images: {config.base.data} has changed since it "
                "began. Bring the former images back, or choose another directory"
            )
        try:
            files.write_text(self.config, _to_json(config, space, images=images))
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
            raise InputError(f"{self.config}: expected the config of a search ({error})") from None

    def load_best(self) -> RunConfig:
        """Reads the best configuration so far.

        Raises:
            InputError: If no trial has succeeded.
        """
        if not self.best.is_file():
            raise InputError(f"{self.path}: expected a search with a trial that has succeeded")
        return RunConfig.load(self.best)

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Keeps other processes from searching in the directory, see `RunDirectory.lock`."""
        return RunDirectory(self.path).lock()

    def _read(self) -> dict[str, Any]:
        return files.read_json(self.config, "the config of a search")


def best_config(search: str | os.PathLike[str]) -> RunConfig:
    """Returns the best configuration that a search has found, ready for `dcgan.train`.

    It trains on all images and for all epochs of the search's base configuration.

    Args:
        search: The search's directory.

    Raises:
        InputError: If there is no search, or no trial has succeeded.

    Example:
        >>> config = tuning.best_config("runs/tune")
        >>> result = dcgan.train(config, "runs/best")
    """
    return SearchDirectory(search).load_best()


def _to_json(config: SearchConfig, space: Space, *, images: str) -> str:
    values = {"config": dataclasses.asdict(config), "space": space.to_dict(), "images": images}
    return json.dumps(values, indent=1) + "\n"


def _first_difference(started: Any, asked: Any, *names: str) -> str:
    if started == asked:
        return ""
    if not (isinstance(started, dict) and isinstance(asked, dict)):
        # Without "config" or "space".
        return f"{'.'.join(names[1:])}={json.dumps(started)}, not {json.dumps(asked)}"
    found = (
        _first_difference(started.get(key), asked.get(key), *names, key) for key in {**started, **asked}
    )
    return next(filter(None, found))
