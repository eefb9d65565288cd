"""What a search has found so far: tables, the best configuration, the report."""

import os

from dcgan import files
from dcgan.config import RunConfig
from tuning import records
from tuning.directory import SearchDirectory
from tuning.records import TrialRecord


def write_tables(directory: SearchDirectory) -> list[TrialRecord]:
    """Writes `trials.csv`, `trials.json` and, once a trial has ended well, `best.json`.

    Args:
        directory: The search.

    Returns:
        The records of the trials that have ended.

    Raises:
        InputError: If there is no search or one of its files is damaged.
    """
    config, space = directory.load()
    ended = records.read_all(directory.records)
    files.write_text(directory.trials_csv, records.to_csv(ended))
    files.write_text(directory.trials_json, records.to_json(ended))
    best = records.rank(ended, direction=config.direction)
    if best:
        space.to_config(config.base, best[0].values).save(directory.best)
    return ended


def best_config(search: str | os.PathLike[str]) -> RunConfig:
    """Returns the best configuration that a search has found, ready for `dcgan.train`.

    It trains on all images and for all epochs of the search's base configuration.

    Args:
        search: The search's directory.

    Raises:
        InputError: If there is no search, or no trial has ended well.

    Example:
        >>> dcgan.train(best_config("runs/tune-mnist"), "runs/best")
    """
    return SearchDirectory(search).load_best()
