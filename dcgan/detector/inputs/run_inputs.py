"""What a run provides for its detector."""

import dataclasses
import logging
import os
import pathlib
from typing import Self

import numpy as np

from dcgan import data, sampling, training
from dcgan.config import RunConfig
from dcgan.data import provenance
from dcgan.detector.inputs.reals import Reals
from dcgan.model import DCGAN
from dcgan.runs.run_directory import RunDirectory
from dcgan.runs.training_record import Trained


@dataclasses.dataclass(frozen=True, eq=False)
class RunInputs:
    """Everything a detector is fitted from.

    Attributes:
        config: The run's configuration.
        model: The run's model.
        reals: The run's images.
        replay: Where the callback `FakeReplay` kept samples of earlier epochs, if it did.
        trained: How the training behind the model ended. Defaults to None, unknown.

    Example:
        >>> inputs = dcgan.detector.RunInputs.load("runs/mnist")
        >>> inputs.reals.train.shape[1:]
        (28, 28, 1)
    """

    config: RunConfig
    model: DCGAN
    reals: Reals
    replay: pathlib.Path
    trained: Trained | None = None

    @classmethod
    def load(cls, run: str | os.PathLike[str], images: data.ImageSet | np.ndarray | None = None) -> Self:
        """Reads them from a run.

        Args:
            run: The run's directory.
            images: The images of a run that was given them. Defaults to None.

        Raises:
            InputError: If there is no run, it has no model yet, or its images cannot be used.
        """
        run = RunDirectory.open(run)
        config, trained = run.load_config(), run.trained()
        if not trained.finished:
            logging.getLogger("dcgan").warning("%s: %s", run.path, trained.message)
        given = training.as_image_set(images, config)
        reals = Reals.of(provenance.load(run, config, given))
        return cls(config, sampling.load_model(trained.path), reals, run.replay, trained)
