"""How much each hyper-parameter decides a trial's score."""

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

_TREES = 100
_REPEATS = 5


def measure(
    records: Sequence[TrialRecord], space: Space, *, direction: str, seed: int = 0
) -> dict[str, float]:
    """Estimates by random forest and permutation how much each hyper-parameter decides the score.

    The forest predicts the trials' ranks, failed ones last, from their hyper-parameters and epochs; a
    hyper-parameter's importance is what the forest loses when its values are shuffled.

    Args:
        records: All trials.
        space: What was searched.
        direction: "min" or "max".
        seed: Seed of forest and permutations. Defaults to 0.

    Returns:
        Shares that sum to 1, by name, largest first; empty for fewer than 8 trials or if nothing varies.

    Reference:
        Breiman (2001), Random Forests, section 10.
    """
    names = [name for name, parameter in space.parameters.items() if not parameter.fixed]
    if len(records) < FEWEST_TRIALS or not names:
        return {}
    sign = 1 if direction == "min" else -1
    ranks = stats.rankdata([math.inf if record.failed else sign * record.score for record in records])
    # Positions; -1 for what does not matter to the trial.
    inputs = np.array([
        [position(space, name, r.values[name]) if name in r.values else -1.0 for name in names]
        + [r.epochs]
        for r in records
    ])  # fmt: skip
    forest = sklearn.ensemble.RandomForestRegressor(_TREES, random_state=seed, min_samples_leaf=2)
    permuted = sklearn.inspection.permutation_importance(
        forest.fit(inputs, ranks), inputs, ranks, n_repeats=_REPEATS, random_state=seed
    )
    shares = np.maximum(permuted.importances_mean[:-1], 0)
    if not shares.sum():
        return {}
    found = dict(zip(names, (shares / shares.sum()).tolist(), strict=True))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def position(space: Space, name: str, value: Any) -> float:
    """Places a hyper-parameter's value on an axis from 0 to 1."""
    parameter = space.parameters[name]
    if parameter.choice:
        return parameter.choice.index(value) / max(1, len(parameter.choice) - 1)
    low, high = parameter.bounds
    if parameter.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low)
