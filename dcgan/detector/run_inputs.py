"""What a run provides for its detector."""

import dataclasses
import pathlib
from typing import Self

from dcgan import sampling
from dcgan.config import RunConfig
from dcgan.detector.reals import Reals
from dcgan.model import DCGAN
from dcgan.runs.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True, eq=False)
class RunInputs:
    """Everything a detector is fitted from.

    Attributes:
        config: The run's configuration.
        model: The run's model.
        reals: The run's images.
        replay: Where the callback `FakeReplay` kept samples of earlier epochs, if it did.
    """

    config: RunConfig
    model: DCGAN
    reals: Reals
    replay: pathlib.Path

    @classmethod
    def load(cls, run: RunDirectory) -> Self:
        """Reads them from a run.

        Raises:
            InputError: If the run has no model yet, or its images cannot be used.
        """
        config = RunConfig.load(run.config)
        path = run.newest_model()
        return cls(config, sampling.load_model(path), Reals.load(config), run.replay)
