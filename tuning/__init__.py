"""Hyper-parameter search over `dcgan`, on KerasTuner.

What is listed in `__all__` is imported when it is first used, so that the command line can check its
options before TensorFlow is loaded.
"""

import importlib
from typing import Any

_HOMES = {
    "Budget": "tuning.search_config",
    "DCGANHyperModel": "tuning.hypermodel",
    "Parameter": "tuning.space",
    "SearchConfig": "tuning.search_config",
    "SearchResult": "tuning.searching",
    "Space": "tuning.space",
    "TrialRecord": "tuning.trial_records",
    "best_config": "tuning.results",
    "run": "tuning.searching",
    "search": "tuning.searching",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Imports a public name on its first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'tuning' has no attribute {name!r}")
