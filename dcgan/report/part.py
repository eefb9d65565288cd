"""A part of a report as data."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """What one command has to report about a run or a search.

    Attributes:
        name: Its key in `report.json`, such as "evaluation".
        template: What draws it: "samples", "detector", "run" or "search". Parts appear in this order.
        metrics: What `report.json` holds under the name; JSON values, finite floats.
        facts: What only the page shows, likewise.
        arrays: Pictures, uint8, and series too long for JSON, by name. Defaults to none.

    Example:
        >>> metrics = {"configuration": dcgan.RunConfig().to_dict(), "versions": {}, "timings": {}}
        >>> part = dcgan.report.Part(
        ...     name="run", template="run", metrics=metrics, facts={"epochs": [], "curves": []}
        ... )
        >>> dcgan.report.publish("runs/mine", part)
    """

    name: str
    template: str
    metrics: Mapping[str, Any]
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
