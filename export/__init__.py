"""From a trained run to a SavedModel that TF Serving and TFX accept as it is.

Public names are imported when they are first used, as in `dcgan`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from dcgan.system import environment

if TYPE_CHECKING:
    from export.bulk import score_bulk as score_bulk
    from export.client import Client as Client
    from export.export_best import ExportBest as ExportBest
    from export.exporting import export_generator as export_generator
    from export.exporting import export_model as export_model
    from export.graph.scoring_model import ScoringModel as ScoringModel
    from export.publishing.blessing import Candidate as Candidate
    from export.publishing.pushing import Pushed as Pushed
    from export.publishing.pushing import push_model as push_model
    from export.publishing.pushing import roll_back as roll_back
    from export.serving.serving_config import Labels as Labels
    from export.serving.serving_config import ServingConfig as ServingConfig
    from export.serving.serving_config import write_serving_config as write_serving_config
    from export.validation.metric_thresholds import Thresholds as Thresholds
    from export.validation.validator import Validation as Validation
    from export.validation.validator import validate_model as validate_model

_HOMES = {
    "Candidate": "publishing.blessing",
    "Client": "client",
    "ExportBest": "export_best",
    "Labels": "serving.serving_config",
    "Pushed": "publishing.pushing",
    "ScoringModel": "graph.scoring_model",
    "ServingConfig": "serving.serving_config",
    "Thresholds": "validation.metric_thresholds",
    "Validation": "validation.validator",
    "export_generator": "exporting",
    "export_model": "exporting",
    "push_model": "publishing.pushing",
    "roll_back": "publishing.pushing",
    "score_bulk": "bulk",
    "validate_model": "validation.validator",
    "write_serving_config": "serving.serving_config",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Imports a public name on its first use."""
    if name in _HOMES:
        if name != "Client":  # It needs no Keras.
            environment.check()
        return getattr(importlib.import_module(f"export.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'export' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
