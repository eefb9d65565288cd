"""A detector's files in its run."""

import dataclasses
import json
import os
import pathlib
import zipfile

import keras
import numpy as np

from dcgan import files
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_model import Detector
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory

_UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, TypeError, KeyError, zipfile.BadZipFile)


@dataclasses.dataclass(frozen=True, eq=False)
class LeftOut:
    """Scores of fakes that were not learned from, as those of known and of unknown families.

    Attributes:
        logits: On the detector's scale, higher for fakes, shape (count,).
        origins: What drew each fake, shape (count,).
    """

    logits: np.ndarray
    origins: np.ndarray


class DetectorFiles:
    """Where a run keeps its detector.

    Args:
        run: The run.
    """

    def __init__(self, run: RunDirectory) -> None:
        self.detector = run.detector
        self.directory = run.detector_files
        self.pool = self.directory / "pool.npz"
        self.left_out = self.directory / "left_out.npz"
        self.settings = self.directory / "settings.json"
        self.evaluation = self.directory / "evaluation.json"

    def save(
        self,
        detector: Detector,
        *,
        folds: dict[str, Detector],
        pool: FakePool,
        left_out: LeftOut,
        settings: DetectorConfig,
    ) -> None:
        """Writes everything that a fit leaves, the detector last."""
        pool.save(self.pool)
        with files.write_atomically(self.left_out) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, logits=left_out.logits, origins=left_out.origins)
        for family, fold in folds.items():
            save(fold, self._fold(family))
        files.write_text(self.settings, json.dumps(dataclasses.asdict(settings), indent=2) + "\n")
        save(detector, self.detector)

    def load_pool(self) -> FakePool:
        """Reads the pool."""
        return FakePool.load(self.pool)

    def load_folds(self) -> dict[str, Detector]:
        """Reads the networks that were kept from one family each, by family."""
        found = sorted(self.directory.glob("without_*.keras"))
        return {path.stem.removeprefix("without_"): load(path) for path in found}

    def load_left_out(self) -> LeftOut:
        """Reads what the calibration rests on.

        Raises:
            InputError: If it is not there or damaged.
        """
        try:
            with np.load(self.left_out, allow_pickle=False) as content:
                return LeftOut(content["logits"], content["origins"])
        except Exception as error:  # NumPy raises errors of many types on damaged files.
            raise InputError(f"{self.left_out}: expected what `dcgan detect` wrote ({error})") from None

    def load_settings(self) -> DetectorConfig:
        """Reads the settings that the detector was fitted with.

        Raises:
            InputError: If they are not there or damaged.
        """
        try:
            return DetectorConfig.from_dict(json.loads(self.settings.read_text(encoding="utf-8")))
        except (OSError, ValueError, InputError) as error:
            raise InputError(f"{self.settings}: expected a detector's settings ({error})") from None

    def _fold(self, family: str) -> pathlib.Path:
        return self.directory / f"without_{family}.keras"


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
