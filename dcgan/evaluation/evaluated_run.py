"""What is evaluated: a run's model and images, and the feature extractor that looks at them."""

import dataclasses
import os
import pathlib
import re

import numpy as np

from dcgan import data, features, images, sampling, training
from dcgan.config import RunConfig
from dcgan.data import partition, provenance
from dcgan.errors import InputError
from dcgan.features import FeatureExtractor
from dcgan.model import DCGAN
from dcgan.runs import training_record
from dcgan.runs.run_directory import RunDirectory
from dcgan.runs.training_record import Trained

_RELIABLE = 1000
_CHUNK = 1024


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class EvaluatedRun:
    """Everything that an evaluation starts from.

    Attributes:
        directory: The run's files.
        config: The run's configuration.
        model: The run's newest model.
        trained: How the training behind it ended.
        partition: The run's images.
        extractor: The feature extractor.
        count: How many samples are measured.
        seed: Seed of every draw.
        notes: What readers must know about the metrics.
    """

    directory: RunDirectory
    config: RunConfig
    model: DCGAN
    trained: Trained
    partition: data.Partition
    extractor: FeatureExtractor
    count: int
    seed: int
    notes: tuple[str, ...]

    @property
    def train(self) -> data.ImageSet:
        """The images it learned from, without those in `test`."""
        return self.partition.rest

    @property
    def test(self) -> data.ImageSet:
        """The images to compare with, held out from training if possible."""
        return self.partition.held_out

    def draw(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Generates images from latents, in small parts, which saves memory.

        Args:
            latents: Shape (count, latent_dim), float32.
            labels: Their classes, shape (count,), where the model has some. Defaults to None.

        Returns:
            Shape (count, height, width, channels), uint8.
        """
        parts = [slice(start, start + _CHUNK) for start in range(0, len(latents), _CHUNK)]
        return np.concatenate(
            [
                images.to_uint8(
                    self.model.generate(
                        len(latents[part]),
                        latents=latents[part],
                        labels=None if labels is None else labels[part],
                    )
                )
                for part in parts
            ]
        )


def load(
    run: RunDirectory,
    *,
    extractor: FeatureExtractor | str | os.PathLike[str] | None,
    count: int,
    seed: int,
    given: data.ImageSet | np.ndarray | None = None,
) -> EvaluatedRun:
    """Loads everything that an evaluation needs.

    Args:
        run: The run.
        extractor: The feature extractor, its name or its file; None for the run's own.
        count: How many samples to draw; fewer are drawn if there are fewer images.
        seed: Seed of every draw.
        given: The images of a run that was given them. Defaults to None.

    Raises:
        InputError: If a file of the run, its data or the extractor cannot be used.
    """
    config = run.load_config()
    if not isinstance(extractor, FeatureExtractor):
        # Refused, if it is, before the images are read.
        _load_extractor(config, extractor, None, cache=run.references)
    trained = run.trained()
    model = sampling.load_model(trained.path)
    found = provenance.load(run, config, training.as_image_set(given, config))
    train, test = found.rest, found.held_out
    possible = min(len(train.images), len(test.images))
    if possible < partition.FEWEST:
        raise InputError(
            f"{config.data}: expected at least {partition.FEWEST} images to learn from and to test on. "
            f"Received: {len(train.images)} and {len(test.images)}"
        )
    chosen = (
        extractor
        if isinstance(extractor, FeatureExtractor)
        else _load_extractor(config, extractor, train, cache=run.references)
    )
    return EvaluatedRun(
        directory=run,
        config=config,
        model=model,
        trained=trained,
        partition=found,
        extractor=chosen,
        count=min(count, possible),
        seed=seed,
        notes=tuple(_notes(trained, found, chosen, asked=count, possible=possible)),
    )


def _load_extractor(
    config: RunConfig,
    extractor: str | os.PathLike[str] | None,
    train: data.ImageSet | None,
    *,
    cache: pathlib.Path,
) -> FeatureExtractor:
    wanted = config.features if extractor is None else os.fspath(extractor)
    if extractor is None and wanted == "none":
        wanted = "auto"
    loaded = features.for_run(dataclasses.replace(config, features=wanted), train, cache_dir=cache)
    if loaded is None:
        raise InputError("features none: expected a feature extractor to evaluate with")
    return loaded


def _notes(
    trained: Trained,
    found: data.Partition,
    extractor: FeatureExtractor,
    *,
    asked: int,
    possible: int,
) -> list[str]:
    known = trained.reason != training_record.UNRECORDED
    notes = [] if trained.finished or not known else [trained.message]
    if asked > possible:
        notes.append(
            f"{possible:,} samples were measured, not {asked:,}: there are no more images to compare "
            "with."
        )
    if min(asked, possible) < _RELIABLE:
        notes.append(
            f"Fewer than {_RELIABLE:,} samples were measured: compare the metrics only with their "
            "floors and with metrics of equally many samples."
        )
    notes += found.notes() if known else [*found.notes(), trained.message]
    if _names_test_images(extractor.trained_on):
        notes.append(f"The feature extractor also learned from test images ({extractor.trained_on}).")
    return notes


def _names_test_images(trained_on: str) -> bool:
    """Whether an extractor's record, a data set's name and a split, says that it saw test images."""
    names = re.sub(r"\[.*?\]", "", trained_on).rpartition(":")[2]
    return re.search(r"\b(all|test)\b", names) is not None
