"""A DCGAN in Keras, and the fake-image detector that comes out of it.

Public names are imported when they are first used, so that the command line answers before TensorFlow
is loaded.
"""

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

from dcgan.system import environment

if TYPE_CHECKING:
    from dcgan import (
        callbacks,
        data,
        detector,
        features,
        images,
        layers,
        losses,
        metrics,
        networks,
        presets,
        report,
        scoring,
    )
    from dcgan.config import NetworkConfig, RunConfig, TrainingConfig
    from dcgan.data import ImageSet, batches, load_dataset, load_images
    from dcgan.errors import InputError
    from dcgan.evaluation import evaluate
    from dcgan.model import DCGAN
    from dcgan.training import train

# Of the installed package.
__version__: str

__all__ = [
    "DCGAN",
    "ImageSet",
    "InputError",
    "NetworkConfig",
    "RunConfig",
    "TrainingConfig",
    "batches",
    "callbacks",
    "data",
    "detector",
    "evaluate",
    "features",
    "images",
    "layers",
    "load_dataset",
    "load_images",
    "losses",
    "metrics",
    "networks",
    "presets",
    "report",
    "scoring",
    "train",
]

_HOMES = {
    "config": ("NetworkConfig", "RunConfig", "TrainingConfig"),
    "data": ("ImageSet", "batches", "load_dataset", "load_images"),
    "errors": ("InputError",),
    "evaluation": ("evaluate",),
    "model": ("DCGAN",),
    "training": ("train",),
}
_WITHOUT_KERAS = (
    "InputError",
    "NetworkConfig",
    "RunConfig",
    "TrainingConfig",
    "images",
    "metrics",
    "presets",
    "report",
    "scoring",
)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.metadata.version("dcgan")
    if name not in __all__:
        raise AttributeError(f"module 'dcgan' has no attribute {name!r}")
    if name not in _WITHOUT_KERAS:
        environment.check()
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"dcgan.{home}"), name)
    return importlib.import_module(f"dcgan.{name}")


def __dir__() -> list[str]:
    return __all__
