"""Hyper-parameter search over `dcgan`, on KerasTuner.

The public names are imported when they are first used, so that the command line can check its options
before TensorFlow is loaded.
"""

import importlib
from typing import TYPE_CHECKING, Any

from dcgan.system import environment

if TYPE_CHECKING:
    from tuning.hypermodel import DCGANHyperModel as DCGANHyperModel
    from tuning.search_config import Budget as Budget
    from tuning.search_config import SearchConfig as SearchConfig
    from tuning.search_directory import best_config as best_config
    from tuning.searching import SearchResult as SearchResult
    from tuning.searching import run as run
    from tuning.searching import search as search
    from tuning.space import Parameter as Parameter
    from tuning.space import Space as Space
    from tuning.trial_records import TrialRecord as TrialRecord

_HOMES = {
    "Budget": "tuning.search_config",
    "DCGANHyperModel": "tuning.hypermodel",
    "Parameter": "tuning.space",
    "SearchConfig": "tuning.search_config",
    "SearchResult": "tuning.searching",
    "Space": "tuning.space",
    "TrialRecord": "tuning.trial_records",
    "best_config": "tuning.search_directory",
    "run": "tuning.searching",
    "search": "tuning.searching",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Imports a public name on its first use."""
    if name in _HOMES:
        environment.check()
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'tuning' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Lists the public names."""
    return sorted(__all__)
