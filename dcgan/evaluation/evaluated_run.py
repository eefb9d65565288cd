"""What is evaluated: a run's model, its images and the extractor."""

import dataclasses
import os
import re

import numpy as np

from dcgan import data, features, images, sampling
from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.features import FeatureExtractor
from dcgan.model import DCGAN
from dcgan.runs import checkpoint_files
from dcgan.runs.run_directory import RunDirectory

_FEWEST = 10
_RELIABLE = 1000
_CHUNK = 1024


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """Everything that an evaluation starts from.

    Attributes:
        run: Where the run's files are.
        config: Its configuration.
        model: Its finished model or newest checkpoint.
        epochs: How many epochs that has behind it.
        train: The images it learned from.
        test: The data's test split, to compare with.
        extractor: What sees features in images.
        count: How many samples are measured.
        seed: Of every draw.
        notes: What a reader must know about the figures.
    """

    run: RunDirectory
    config: RunConfig
    model: DCGAN
    epochs: int
    train: data.ImageSet
    test: data.ImageSet
    extractor: FeatureExtractor
    count: int
    seed: int
    notes: tuple[str, ...]

    def draw(self, latents: np.ndarray) -> np.ndarray:
        """Makes samples of latents.

        Args:
            latents: Shape (count, latent_dim), float32.

        Returns:
            Shape (count, height, width, channels), uint8, drawn in small parts, so that the floats
            need little memory.
        """
        parts = [latents[start : start + _CHUNK] for start in range(0, len(latents), _CHUNK)]
        return np.concatenate(
            [images.to_uint8(self.model.generate(len(part), latents=part)) for part in parts]
        )


def load(
    run: RunDirectory,
    *,
    extractor: FeatureExtractor | str | os.PathLike[str] | None,
    count: int,
    seed: int,
) -> Subject:
    """Loads all that an evaluation needs.

    Args:
        run: The run.
        extractor: The feature extractor, its name or its file; None for the run's own.
        count: How many samples are wanted; fewer are drawn where there are fewer images.
        seed: Of every draw.

    Raises:
        InputError: If a file of the run, its data or the extractor cannot be used.
    """
    config = run.load_config()
    path = run.newest_model()
    chosen = extractor if isinstance(extractor, FeatureExtractor) else _load_extractor(config, extractor)
    model = sampling.load_model(path)
    train, test = data.load_split(config, config.split), data.load_split(config, "test")
    possible = min(len(train.images), len(test.images))
    if possible < _FEWEST:
        raise InputError(
            f"{config.data}: expected at least {_FEWEST} images to learn from and to test on. "
            f"Received: {len(train.images)} and {len(test.images)}"
        )
    finished = path == run.model
    epochs = config.training.epochs if finished else checkpoint_files.epoch_of(path)
    return Subject(
        run=run,
        config=config,
        model=model,
        epochs=epochs,
        train=train,
        test=test,
        extractor=chosen,
        count=min(count, possible),
        seed=seed,
        notes=tuple(
            _notes(config, chosen, epochs=epochs, finished=finished, asked=count, possible=possible)
        ),
    )


def _load_extractor(config: RunConfig, extractor: str | os.PathLike[str] | None) -> FeatureExtractor:
    wanted = config.features if extractor is None else os.fspath(extractor)
    if extractor is None and wanted == "none":
        wanted = "auto"
    loaded = features.for_run(dataclasses.replace(config, features=wanted))
    if loaded is None:
        raise InputError("features none: expected a feature extractor to evaluate with")
    return loaded


def _notes(
    config: RunConfig,
    extractor: FeatureExtractor,
    *,
    epochs: int,
    finished: bool,
    asked: int,
    possible: int,
) -> list[str]:
    notes = []
    if not finished:
        notes.append(
            f"The run is not finished: this is its newest checkpoint, after {epochs} of "
            f"{config.training.epochs} epochs."
        )
    if asked > possible:
        notes.append(
            f"{possible:,} samples were measured, not {asked:,}, because there are no more images to "
            "compare with."
        )
    if min(asked, possible) < _RELIABLE:
        notes.append(
            f"Fewer than {_RELIABLE:,} samples were measured: compare the figures with their floors and "
            "with figures of as many samples only."
        )
    if _holds_test_images(config.split):
        notes.append(
            f"The run learned from its test images, too (split {config.split}): the figures flatter it."
        )
    if _holds_test_images(extractor.trained_on):
        notes.append(
            f"The feature extractor was trained on test images ({extractor.trained_on}), which it "
            "should not have seen."
        )
    return notes


def _holds_test_images(split: str) -> bool:
    """Whether a split, which a data set's name and a colon may precede, has all or test images."""
    names = re.sub(r"\[.*?\]", "", split).rpartition(":")[2]
    return re.search(r"\b(all|test)\b", names) is not None
