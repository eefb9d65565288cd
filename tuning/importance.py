"""How much each hyper-parameter decides about a trial's score."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sklearn.ensemble
import sklearn.inspection
from scipy import stats

from tuning.space import Space
from tuning.trial_records import TrialRecord

FEWEST_TRIALS = 8

_TREES = 200
_REPEATS = 10


def measure(
    records: Sequence[TrialRecord], space: Space, *, direction: str, seed: int = 0
) -> dict[str, float]:
    """Estimates by random forest and permutation how much each hyper-parameter decides.

    The forest predicts the trials' ranks, failed ones being last, from their hyper-parameters and
    epochs; what it loses when one is shuffled is that one's importance.

    Args:
        records: All trials.
        space: What was searched.
        direction: "min" or "max".
        seed: Of forest and permutations. Defaults to 0.

    Returns:
        Shares that sum to 1, by name, the largest first; empty for fewer than 8 trials, or where nothing
        varies.

    Reference:
        Breiman (2001), Random Forests, section 10.
    """
    names = [name for name, parameter in space.parameters.items() if not parameter.fixed]
    if len(records) < FEWEST_TRIALS or not names:
        return {}
    inputs = np.array([[*_encode(record, names, space), record.epochs] for record in records])
    scores = np.array([_order(record, direction) for record in records])
    forest = sklearn.ensemble.RandomForestRegressor(_TREES, random_state=seed, min_samples_leaf=2)
    forest.fit(inputs, stats.rankdata(scores))
    permuted = sklearn.inspection.permutation_importance(
        forest, inputs, stats.rankdata(scores), n_repeats=_REPEATS, random_state=seed
    )
    shares = np.maximum(permuted.importances_mean[:-1], 0)
    if not shares.sum():
        return {}
    found = dict(zip(names, (shares / shares.sum()).tolist(), strict=True))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def position(space: Space, name: str, value: Any) -> float:
    """Places a hyper-parameter's value on an axis from 0 to 1.

    Args:
        space: What was searched.
        name: The hyper-parameter.
        value: Its value.
    """
    parameter = space.parameters[name]
    if parameter.choice:
        return parameter.choice.index(value) / max(1, len(parameter.choice) - 1)
    low, high = parameter.bounds
    if parameter.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low)


def _encode(record: TrialRecord, names: Sequence[str], space: Space) -> list[float]:
    """Positions; -1 for what does not matter to the trial."""
    return [
        position(space, name, record.values[name]) if name in record.values else -1.0 for name in names
    ]


def _order(record: TrialRecord, direction: str) -> float:
    if record.failed:
        return math.inf
    return record.score if direction == "min" else -record.score
