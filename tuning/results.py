"""What a search has found so far: tables, the best configuration, the report."""

import os

from dcgan import files
from dcgan.config import RunConfig
from tuning import trial_records
from tuning.search_directory import SearchDirectory
from tuning.trial_records import TrialRecord


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
    ended = trial_records.read_all(directory.records)
    files.write_text(directory.trials_csv, trial_records.to_csv(ended))
    files.write_text(directory.trials_json, trial_records.to_json(ended))
    best = trial_records.rank(ended, direction=config.direction)
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
