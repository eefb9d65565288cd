"""The row of a scored image, and files and folders of images to rows."""

import concurrent.futures
import dataclasses
import itertools
import math
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from dcgan import errors
from dcgan.data import preprocessing
from dcgan.data.decoding import image_file, image_formats
from dcgan.data.folders import folder_walk

DECISIONS = ("real", "unsure", "fake")
"""What a detector says about an image, by its integer code."""

ERROR = "error"
"""What takes a decision's place in the row of an image that cannot be read."""

NOT_FINITE = "the model's answer is not a finite number"
"""The error of an image that could be read but has no score."""

UNFAMILIAR = 0.01
"""An image of lower familiarity is unsure, whatever else is known about it."""

OUTPUTS = ("p_fake", "decision", "familiarity", "discriminator_logit", "error")
"""What an exported model returns for encoded images."""

_UNFAMILIAR, _UNCERTAIN = "unfamiliar", "uncertain"
_BATCH = 256


class Scorer(Protocol):
    """What scores images: a `Detector`, or anything with its `image_shape` and `score`."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The (height, width, channels) that it takes."""

    def score(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Scores uint8 images, see `Detector.score`."""


@dataclasses.dataclass(frozen=True)
class Row:
    """What is known about one image, as `score_files` yields it.

    Attributes:
        file: The file's path as found.
        p_fake: Probability that the image is generated, 0 to 1; None if it cannot be read.
        decision: "real", "unsure" or "fake"; "error" if the image cannot be read.
        reason: Why it is unsure: "unfamiliar" if the image is unlike those that the detector was made
            for, "uncertain" if it is like them but neither clearly real nor clearly fake; None
            otherwise.
        familiarity: The p-value that the image is like the reals or the fakes that the detector was made
            for, 0 to 1; None if unread.
        discriminator_logit: The run's own discriminator's logit, positive for real; None if unread.
        error: Why the image cannot be read; None if it can.
    """

    file: str
    p_fake: float | None
    decision: str
    reason: str | None
    familiarity: float | None
    discriminator_logit: float | None
    error: str | None = None

    @classmethod
    def unread(cls, file: str, reason: str) -> "Row":
        """Returns the row of an image that cannot be read."""
        return cls(file, None, ERROR, None, None, None, reason)

    @property
    def is_unfamiliar(self) -> bool:
        """Whether the image is unlike those that the detector was made for."""
        return self.reason == _UNFAMILIAR


OnImages = Callable[[list[str], np.ndarray], None]
"""Called with the names and pixels of files that could be read."""


def expand(paths: Iterable[str | os.PathLike[str]]) -> Iterator[pathlib.Path]:
    """Yields files as they are, and what has an image's suffix in folders, sorted.

    Args:
        paths: Files and folders. A file that does not exist is yielded, too, and so are folders that
            cannot be listed and folders with an image's suffix: each gets a row.

    Example:
        >>> paths = list(expand(["photos", "missing.png"]))
        >>> paths[0], paths[-1]
        (PosixPath('photos/0000.png'), PosixPath('missing.png'))
    """
    for path in map(pathlib.Path, paths):
        if not folder_walk.is_folder(path):
            yield path
            continue
        for entry in folder_walk.walk(path):
            if entry.error or pathlib.PurePath(entry.name).suffix.lower() in image_formats.SUFFIXES:
                yield path / entry.relative


def score_files(
    scorer: Scorer, paths: Iterable[str | os.PathLike[str]], *, on_images: OnImages | None = None
) -> Iterator[Row]:
    """Scores image files of any size and colour, one row per file, in order.

    Args:
        scorer: The detector.
        paths: Files and folders.
        on_images: Called with each batch that was read. Defaults to None.

    Yields:
        Rows; if a file cannot be read, `error` says why.

    Example:
        >>> detector = dcgan.detector.load("runs/mnist/detector.keras")
        >>> rows = list(score_files(detector, ["photos", "missing.png"]))
        >>> rows[-1].decision, rows[-1].p_fake
        ('error', None)
    """
    files = expand(paths)
    height, _, channels = scorer.image_shape
    prepare = preprocessing.for_any_size(image_size=height, channels=channels)
    with concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        while chunk := list(itertools.islice(files, _BATCH)):
            with image_file.without_warnings():
                outcomes = list(pool.map(lambda path: _read(path, prepare), chunk))
            yield from _score_chunk(scorer, list(map(str, chunk)), outcomes, on_images)


def score_images(scorer: Scorer, images: np.ndarray, *, names: Sequence[str]) -> Iterator[Row]:
    """Scores images in memory.

    Args:
        scorer: The detector.
        images: Shape (count, height, width, channels), uint8, of the scorer's `image_shape`.
        names: One name per image.

    Yields:
        Rows.

    Example:
        >>> detector = dcgan.detector.load("runs/mnist/detector.keras")
        >>> rows = score_images(detector, images[:2], names=["first", "second"])
        >>> [row.file for row in rows]
        ['first', 'second']
    """
    scores = scorer.score(images)
    decisions = [DECISIONS[int(code)] for code in scores["decision"]]
    yield from to_rows(names, {**scores, "decision": decisions, "error": [""] * len(names)})


def to_rows(names: Sequence[str], outputs: Mapping[str, Sequence[Any] | np.ndarray]) -> Iterator[Row]:
    """Yields one row per image.

    Args:
        names: One name per image.
        outputs: What an exported model returns, by the names in `OUTPUTS`, texts as str; `error` is
            empty for an image that was scored.

    Example:
        >>> outputs = {"p_fake": [0.97], "decision": ["fake"], "familiarity": [0.4],
        ...            "discriminator_logit": [-1.5], "error": [""]}
        >>> [row.decision for row in to_rows(["one.png"], outputs)]
        ['fake']
    """
    columns = (outputs[name] for name in OUTPUTS)
    for name, p_fake, decision, familiarity, logit, error in zip(names, *columns, strict=True):
        if not error and not all(map(math.isfinite, (p_fake, familiarity, logit))):
            error = NOT_FINITE
        if error:
            yield Row.unread(name, error)
            continue
        yield Row(
            name,
            p_fake=float(p_fake),
            decision=decision,
            reason=_explain(decision, familiarity),
            familiarity=float(familiarity),
            discriminator_logit=float(logit),
        )


def _explain(decision: str, familiarity: float) -> str | None:
    if decision != DECISIONS[1]:
        return None
    return _UNFAMILIAR if familiarity < UNFAMILIAR else _UNCERTAIN


def _score_chunk(
    scorer: Scorer, names: list[str], outcomes: list[np.ndarray | str], on_images: OnImages | None
) -> Iterator[Row]:
    read = [index for index, outcome in enumerate(outcomes) if not isinstance(outcome, str)]
    scored: Iterator[Row] = iter(())
    if read:
        images = np.stack([outcomes[index] for index in read])
        names_read = [names[index] for index in read]
        if on_images:
            on_images(names_read, images)
        scored = score_images(scorer, images, names=names_read)
    for name, outcome in zip(names, outcomes, strict=True):
        yield Row.unread(name, outcome) if isinstance(outcome, str) else next(scored)


def _read(path: pathlib.Path, prepare: Callable[[np.ndarray], np.ndarray]) -> np.ndarray | str:
    """Returns a file's pixels in the scorer's shape, or why there are none."""
    try:
        return image_file.decode(path, prepare)
    except image_file.UnreadableError as error:
        return error.reason
    except (errors.InputError, OSError) as error:
        return str(error)
