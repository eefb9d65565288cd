"""What a search stores in its report: what won, what decides, what failed."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from dcgan import report
from tuning import importance, trial_records
from tuning.search_config import SearchConfig
from tuning.search_directory import SearchDirectory
from tuning.space import Space
from tuning.trial_records import TrialRecord

_TICKS = 4
_LABELS = {
    "val_frechet_distance": "Fréchet distance",
    "val_kid": "KID",
    "detector_auroc": "AUROC of the detector",
}
_POSITIVE = ("val_frechet_distance",)


def write(directory: SearchDirectory) -> None:
    """Writes a search's tables and its report; before a trial has ended, nothing.

    Args:
        directory: The search.

    Raises:
        InputError: If a file of the search is damaged.
    """
    ended = trial_records.write_tables(directory)
    if ended:
        report.publish(directory.path, describe(directory, ended))


def describe(directory: SearchDirectory, ended: Sequence[TrialRecord]) -> report.Part:
    """Makes the report's only part.

    Args:
        directory: The search.
        ended: The trials that have ended, at least one, in this order.
    """
    config, space = directory.load()
    ranked = trial_records.rank(ended, direction=config.direction)
    shares = importance.measure(ended, space, direction=config.direction)
    metrics = {
        "best": {"trial": ranked[0].trial, "score": ranked[0].score} if ranked else None,
        "trials": len(ended),
        "failed": sum(record.failed for record in ended),
        "minutes": max(record.elapsed for record in ended) / 60,
        "epochs": sum(record.epochs - record.first_epoch for record in ended),
        "importance": shares,
    }
    free = [name for name, parameter in space.parameters.items() if not parameter.fixed]
    free.sort(key=lambda name: -shares.get(name, 0))
    facts = {
        **_describe_search(directory, config, space),
        "trials": [_describe_trial(record, space, free) for record in ended],
        "ranked": [ended.index(record) for record in ranked],
        "ticks": {name: _ticks(space, name) for name in free},
    }
    return report.Part(name="search", template="search", metrics=metrics, facts=facts)


def _describe_search(directory: SearchDirectory, config: SearchConfig, space: Space) -> dict[str, Any]:
    return {
        "config": dataclasses.asdict(config),
        "direction": config.direction,
        "rungs": config.rungs,
        "label": _LABELS[config.objective],
        "log": config.objective in _POSITIVE,
        "space": space.to_dict(),
        "best": str(directory.best),
        "fewest_trials": importance.FEWEST_TRIALS,
    }


def _describe_trial(record: TrialRecord, space: Space, free: Sequence[str]) -> dict[str, Any]:
    values = {name: record.values[name] for name in free if name in record.values}
    return {
        **record.to_row(),
        "failed": record.failed,
        "minutes": record.elapsed / 60,
        "positions": {name: importance.position(space, name, value) for name, value in values.items()},
    }


def _ticks(space: Space, name: str) -> list[tuple[float, Any]]:
    """Returns positions from 0 to 1 on a hyper-parameter's axis, and the values there."""
    parameter = space.parameters[name]
    if parameter.choice:
        values = list(parameter.choice)
    else:
        spread = np.geomspace if parameter.log else np.linspace
        values = spread(*parameter.bounds, _TICKS).tolist()
    return [(importance.position(space, name, value), value) for value in values]
