"""From a trained run to a SavedModel that TF Serving and TFX take as it is.

What is listed in `__all__` is imported when it is first used, as in `dcgan`.
"""

import importlib
from typing import Any

_HOMES = {
    "Client": "export.client",
    "ExportBest": "export.export_best",
    "Exported": "export.exporting",
    "Labels": "export.serving.serving_config",
    "ScoringModel": "export.graph.scoring_model",
    "Pushed": "export.publishing.pushing",
    "ServingConfig": "export.serving.serving_config",
    "Thresholds": "export.validation.metric_thresholds",
    "Validation": "export.validation",
    "export_generator": "export.exporting",
    "export_model": "export.exporting",
    "push_model": "export.publishing.pushing",
    "roll_back": "export.publishing.pushing",
    "score_bulk": "export.bulk",
    "validate_model": "export.validation",
    "write_serving_config": "export.serving.serving_config",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Imports a public name on its first use."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'export' has no attribute {name!r}")
