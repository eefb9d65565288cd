"""What is evaluated: a run's model and images, and the feature extractor that looks at them."""

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
class EvaluatedRun:
    """Everything that an evaluation starts from.

    Attributes:
        directory: The run's files.
        config: The run's configuration.
        model: The finished model or newest checkpoint.
        epochs: How many epochs the model was trained for.
        train: The images it learned from.
        test: The test split of the data, to compare with.
        extractor: The feature extractor.
        count: How many samples are measured.
        seed: Seed of every draw.
        notes: What readers must know about the metrics.
    """

    directory: RunDirectory
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
        """Generates images from latents, in small parts, which saves memory.

        Args:
            latents: Shape (count, latent_dim), float32.

        Returns:
            Shape (count, height, width, channels), uint8.
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
) -> EvaluatedRun:
    """Loads everything that an evaluation needs.

    Args:
        run: The run.
        extractor: The feature extractor, its name or its file; None for the run's own.
        count: How many samples to draw; fewer are drawn if there are fewer images.
        seed: Seed of every draw.

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
    return EvaluatedRun(
        directory=run,
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
            f"{possible:,} samples were measured, not {asked:,}: there are no more images to compare "
            "with."
        )
    if min(asked, possible) < _RELIABLE:
        notes.append(
            f"Fewer than {_RELIABLE:,} samples were measured: compare the metrics only with their "
            "floors and with metrics of equally many samples."
        )
    if _holds_test_images(config.split):
        notes.append(
            f"The run also learned from test images (split {config.split}), which flatters its metrics."
        )
    if _holds_test_images(extractor.trained_on):
        notes.append(f"The feature extractor also learned from test images ({extractor.trained_on}).")
    return notes


def _holds_test_images(split: str) -> bool:
    """Whether a split, perhaps after a data set's name and a colon, includes test images."""
    names = re.sub(r"\[.*?\]", "", split).rpartition(":")[2]
    return re.search(r"\b(all|test)\b", names) is not None
