"""A detector's files in its run."""

import dataclasses
import json
import os
import zipfile

import keras
import numpy as np

from dcgan import files
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_model import Detector
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.reals import Reals
from dcgan.detector.threshold import Scores
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory

_UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, TypeError, KeyError, zipfile.BadZipFile)


@dataclasses.dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted detector and what it was made of.

    Attributes:
        config: How it was fitted.
        reals: The real images.
        pool: The fakes.
        detector: The calibrated detector.
        folds: By family, a detector that has not learned from that family.
        scores: What the calibration rests on.
    """

    config: DetectorConfig
    reals: Reals
    pool: FakePool
    detector: Detector
    folds: dict[str, Detector]
    scores: Scores


class DetectorFiles:
    """Where a run keeps its detector.

    Args:
        run: The run.
    """

    def __init__(self, run: RunDirectory) -> None:
        self.detector = run.detector
        self.directory = run.detector_files
        self.pool = self.directory / "pool.npz"
        self.scores = self.directory / "scores.npz"
        self.config = self.directory / "config.json"

    def save(self, fitted: Fitted) -> None:
        """Writes everything that a fit leaves, the detector last."""
        fitted.pool.save(self.pool)
        with files.write_atomically(self.scores) as temporary:
            np.savez_compressed(temporary, **vars(fitted.scores))
        for family, fold in fitted.folds.items():
            save(fold, self.directory / f"without_{family}.keras")
        files.write_text(self.config, json.dumps(dataclasses.asdict(fitted.config), indent=2) + "\n")
        save(fitted.detector, self.detector)

    def load_scores(self) -> Scores:
        """Reads what the calibration rests on.

        Raises:
            InputError: If the file is missing or damaged.
        """
        try:
            with np.load(self.scores, allow_pickle=False) as content:
                return Scores(**content)
        except Exception as error:  # NumPy raises errors of many types on damaged files.
            raise InputError(f"{self.scores}: expected what `dcgan detect` wrote ({error})") from None

    def load_config(self) -> DetectorConfig:
        """Reads the configuration that the detector was fitted with.

        Raises:
            InputError: If the file is missing or damaged.
        """
        try:
            return DetectorConfig.from_dict(json.loads(self.config.read_text(encoding="utf-8")))
        except (OSError, ValueError, InputError) as error:
            raise InputError(f"{self.config}: expected a detector's configuration ({error})") from None


def load_fitted(run: RunDirectory) -> Fitted:
    """Reads back what `fit_run` wrote; the reals come from the run's data set.

    Raises:
        InputError: If the run has no detector, or a file is damaged.
    """
    paths = DetectorFiles(run)
    detector = load(paths.detector)
    folds = sorted(paths.directory.glob("without_*.keras"))
    return Fitted(
        config=paths.load_config(),
        reals=Reals.load(run.load_config()),
        pool=FakePool.load(paths.pool),
        detector=detector,
        folds={path.stem.removeprefix("without_"): load(path) for path in folds},
        scores=paths.load_scores(),
    )


def save(detector: Detector, path: str | os.PathLike[str]) -> None:
    """Writes a detector to a `.keras` file, atomically."""
    with files.write_atomically(path) as temporary:
        detector.save(temporary)


def load(path: str | os.PathLike[str]) -> Detector:
    """Loads a detector.

    Args:
        path: A `.keras` file that `dcgan detect` or `save` wrote.

    Raises:
        InputError: If the file is missing, damaged or holds something else.
    """
    try:
        detector = keras.models.load_model(path, compile=False)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: expected a detector in a .keras file ({reason})") from None
    if not isinstance(detector, Detector):
        raise InputError(f"{path}: expected a detector, found {type(detector).__name__}")
    return detector
