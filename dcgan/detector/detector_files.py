"""A detector's files in its run."""

import dataclasses
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from dcgan import data, training
from dcgan.data import provenance
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_model import Detector
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.inputs.reals import Reals
from dcgan.detector.threshold import Scores
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory
from dcgan.runs.training_record import Trained
from dcgan.system import files

_UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, TypeError, KeyError, zipfile.BadZipFile)


@dataclasses.dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted detector and what it was made of, as `fit_run` returns it.

    Attributes:
        config: How it was fitted.
        reals: The real images.
        pool: The fakes.
        detector: The calibrated detector.
        folds: By family, a detector that has not learned from that family.
        scores: What the calibration rests on.
        learned: By learned generator what learning from it brought, see `learning_gains.measure`.
            Defaults to nothing.
    """

    config: DetectorConfig
    reals: Reals
    pool: FakePool
    detector: Detector
    folds: dict[str, Detector]
    scores: Scores
    learned: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class DetectorFiles:
    """Where a run keeps its detector.

    Args:
        run: The run.
    """

    def __init__(self, run: RunDirectory) -> None:
        self.detector = run.detector
        self.report = run.report_json
        self.directory = run.detector_files
        self.pool = self.directory / "pool.npz"
        self.scores = self.directory / "scores.npz"
        self.config = self.directory / "config.json"
        self.training = self.directory / "training.json"
        self.learned = self.directory / "learned.json"
        self.former = self.directory / "former.keras"

    def save_training(self, trained: Trained | None) -> None:
        """Writes how the training behind a fit ended.

        Args:
            trained: How the training of the run's model ended, if known.
        """
        described = {} if trained is None else trained.describe()
        files.write_text(self.training, json.dumps(described, indent=2) + "\n")

    def save(self, fitted: Fitted) -> None:
        """Writes everything else that a fit leaves.

        The fakes come last: what is in the pool, the detector has learned from, whatever happens here.

        Args:
            fitted: What was fitted.
        """
        with files.write_atomically(self.scores) as temporary:
            np.savez_compressed(temporary, **vars(fitted.scores))
        for family, fold in fitted.folds.items():
            save(fold, self.directory / f"without_{family}.keras")
        files.write_text(self.config, json.dumps(dataclasses.asdict(fitted.config), indent=2) + "\n")
        files.write_text(self.learned, json.dumps(fitted.learned, indent=2) + "\n")
        self.replace(fitted.detector)
        fitted.pool.save(self.pool)

    def replace(self, detector: Detector) -> None:
        """Writes the run's detector; the one before stays beside as `former.keras`.

        Args:
            detector: The new detector.
        """
        if self.detector.is_file():
            with files.write_atomically(self.former) as temporary:
                shutil.copyfile(self.detector, temporary)
        save(detector, self.detector)

    def digest(self) -> str:
        """Returns the SHA-256 of the detector's file.

        Raises:
            InputError: If there is none, or it cannot be read.
        """
        try:
            with self.detector.open("rb") as content:
                return hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"{self.detector}: expected a detector ({error.strerror})") from None

    def load_report(self) -> dict[str, Any]:
        """Reads what the run's report says of the detector that is there.

        Returns:
            What `run_evaluation.evaluate_run` returned, but for the curves; empty if the detector was
            not evaluated since it was fitted, has learned or was calibrated.

        Raises:
            InputError: If the report is damaged.
        """
        if not (self.report.is_file() and self.detector.is_file()):
            return {}
        report: dict[str, Any] = files.read_json(self.report, "a run's report").get("detector", {})
        return report if report.get("digest") == self.digest() else {}

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


def load_fitted(run: str | os.PathLike[str], images: data.ImageSet | np.ndarray | None = None) -> Fitted:
    """Reads back what `fit_run` wrote; the reals come from the run's data set.

    Args:
        run: The run's directory.
        images: The images of a run that was given them. Defaults to None.

    Raises:
        InputError: If there is no such run or detector, a file is damaged, or the images are not those
            of the run.

    Example:
        >>> fitted = dcgan.detector.load_fitted("runs/mnist")
        >>> len(fitted.pool.images) == sum(fitted.pool.counts().values())
        True
    """
    run = RunDirectory.open(run)
    paths = DetectorFiles(run)
    detector, config = load(paths.detector), run.load_config()
    given = training.as_image_set(images, config)
    folds = sorted(paths.directory.glob("without_*.keras"))
    return Fitted(
        config=paths.load_config(),
        reals=Reals.of(provenance.load(run, config, given)),
        pool=FakePool.load(paths.pool),
        detector=detector,
        folds={path.stem.removeprefix("without_"): load(path) for path in folds},
        scores=paths.load_scores(),
        learned=files.read_json(paths.learned, "what a detector has learned"),
    )


def save(detector: Detector, path: str | os.PathLike[str]) -> None:
    """Writes a detector to a `.keras` file, atomically.

    Example:
        >>> detector = dcgan.detector.load("runs/mnist/detector.keras")
        >>> dcgan.detector.save(detector, "copy.keras")
    """
    with files.write_atomically(path) as temporary:
        detector.save(temporary)


def load(path: str | os.PathLike[str]) -> Detector:
    """Loads a detector.

    Args:
        path: A `.keras` file that `dcgan detect` or `save` wrote.

    Raises:
        InputError: If the file is missing, damaged or holds something else.

    Example:
        >>> detector = dcgan.detector.load("runs/mnist/detector.keras")
        >>> detector.image_shape
        (28, 28, 1)
    """
    try:
        detector = keras.models.load_model(path, compile=False)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: expected a detector in a .keras file ({reason})") from None
    if not isinstance(detector, Detector):
        raise InputError(f"{path}: expected a detector, found {type(detector).__name__}")
    return detector
