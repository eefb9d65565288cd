"""A callback that exports each model that is better than all before it."""

import math
import os
import pathlib
from typing import Any

import keras

from export import exporting, sources
from export.publishing import versions
from export.publishing.blessing import Candidate
from export.validation import validator
from export.validation.metric_thresholds import Thresholds


class ExportBest(keras.callbacks.Callback):
    """Exports and validates the model's discriminator whenever a logged metric is the best so far.

    Put it after the callback that logs the metric, such as `dcgan.callbacks.SampleDistance`. Nothing
    goes live by itself: call `export.push_model(callback.best)`. In `dcgan.train`, a resumed run
    remembers the best so far.

    Args:
        base: The directory of candidates.
        monitor: The metric. Defaults to "val_frechet_distance".
        mode: Whether "min" or "max" is better. Defaults to "min".
        name: The name to serve the model under. Defaults to "detector".
        limits: Thresholds for the blessing. Defaults to none.
        keep: How many of the newest candidates stay. Defaults to 5.

    Attributes:
        best: The best epoch's candidate; None before there is one.

    Raises:
        ValueError: If the mode is unknown.

    Example:
        >>> extractor = dcgan.features.load("mnist")
        >>> reference = dcgan.features.Reference.compute(images, extractor, fake_count=1000)
        >>> distance = dcgan.callbacks.SampleDistance(reference)
        >>> best = export.ExportBest("candidates")
        >>> history = model.fit(dataset, epochs=50, callbacks=[distance, best])
        >>> export.push_model(best.best, "serving").version
        1
    """

    def __init__(
        self,
        base: str | os.PathLike[str],
        *,
        monitor: str = "val_frechet_distance",
        mode: str = "min",
        name: str = sources.DETECTOR,
        limits: Thresholds | None = None,
        keep: int = versions.KEEP,
    ) -> None:
        super().__init__()
        if mode not in ("min", "max"):
            raise ValueError(f'Expected mode to be "min" or "max". Received: mode={mode!r}')
        self.base = base
        self.monitor = monitor
        self.mode = mode
        self.name = name
        self.limits = limits
        self.keep = keep
        self.best: Candidate | None = None
        # The best value, with its sign changed if more is better.
        self._least = math.inf

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Exports the model if the metric was logged and is better than before."""
        value = float((logs or {}).get(self.monitor, math.nan))
        signed = value if self.mode == "min" else -value
        if not signed < self._least:
            return
        self._least = signed
        self.best = exporting.export_model(self.model, self.base, name=self.name, keep=self.keep)
        validator.validate_model(self.best, self.model, limits=self.limits)

    def get_state(self) -> dict[str, Any]:
        """Returns what a resumed training must know, as JSON values."""
        return {"least": self._least, "best": None if self.best is None else str(self.best.directory)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores what `get_state` returned."""
        self._least, best = state["least"], state["best"]
        self.best = None if best is None else Candidate(pathlib.Path(best))
