"""Files and folders of images to rows with a score or an error."""

import concurrent.futures
import dataclasses
import itertools
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np

from dcgan import data, errors
from dcgan.data import image_file

DECISIONS = ("real", "unsure", "fake")
"""What a detector says of an image, by its integer code."""

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
    """What is known of one file.

    Attributes:
        file: Its path as found.
        p_fake: Probability that it is generated, 0 to 1; None if it cannot be read.
        decision: "real", "unsure" or "fake"; "error" if it cannot be read.
        discriminator_logit: The run's own discriminator's, positive for real; None if unread.
        error: Why it cannot be read; None if it can.
    """

    file: str
    p_fake: float | None
    decision: str
    discriminator_logit: float | None
    error: str | None = None


OnImages = Callable[[list[str], np.ndarray], None]
"""Called with the names and pixels of files that could be read."""


def expand(paths: Iterable[str | os.PathLike[str]]) -> Iterator[pathlib.Path]:
    """Yields files as they are, and of folders all files in them with an image's suffix, sorted.

    Args:
        paths: Files and folders; a file that does not exist is yielded, too.
    """
    for path in map(pathlib.Path, paths):
        if not path.is_dir():
            yield path
            continue
        for found in sorted(path.rglob("*")):
            if found.suffix.lower() in image_file.SUFFIXES and not _is_hidden(found, path):
                yield found


def score_files(
    scorer: Scorer, paths: Iterable[str | os.PathLike[str]], *, on_images: OnImages | None = None
) -> Iterator[Row]:
    """Scores image files of any size and colour, a row each, in their order.

    Args:
        scorer: The detector.
        paths: Files and folders.
        on_images: Called with each batch that was read. Defaults to None.

    Yields:
        Rows; a file that cannot be read has its reason in `error`.

    Example:
        >>> [row.decision for row in score_files(detector, ["photos"])]
        ['real', 'fake', 'error']
    """
    files = expand(paths)
    with concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        while chunk := list(itertools.islice(files, _BATCH)):
            with image_file.without_warnings():
                outcomes = list(pool.map(lambda path: _read(path, scorer.image_shape), chunk))
            yield from _score_chunk(scorer, chunk, outcomes, on_images)


def _score_chunk(
    scorer: Scorer,
    paths: list[pathlib.Path],
    outcomes: list[np.ndarray | str],
    on_images: OnImages | None,
) -> Iterator[Row]:
    good = [index for index, outcome in enumerate(outcomes) if not isinstance(outcome, str)]
    scores: dict[int, Row] = {}
    if good:
        images = np.stack([outcomes[index] for index in good])
        names = [str(paths[index]) for index in good]
        if on_images:
            on_images(names, images)
        scores = dict(zip(good, score_images(scorer, images, names=names), strict=True))
    for index, (path, outcome) in enumerate(zip(paths, outcomes, strict=True)):
        yield scores[index] if index in scores else Row(str(path), None, "error", None, str(outcome))


def score_images(scorer: Scorer, images: np.ndarray, *, names: list[str]) -> Iterator[Row]:
    """Scores images in memory.

    Args:
        scorer: The detector.
        images: Shape (count, *scorer.image_shape), uint8.
        names: One an image.

    Yields:
        Rows.
    """
    scores = scorer.score(images)
    for index, name in enumerate(names):
        yield Row(
            name,
            float(scores["p_fake"][index]),
            DECISIONS[int(scores["decision"][index])],
            float(scores["discriminator_logit"][index]),
        )


def _read(path: pathlib.Path, image_shape: tuple[int, int, int]) -> np.ndarray | str:
    """Returns a file's pixels in the scorer's shape, or why there are none."""
    height, _, channels = image_shape
    try:
        pixels = image_file.decode(path)
    except image_file.UnreadableError as error:
        return error.reason
    except (errors.InputError, OSError) as error:
        return str(error)
    return data.prepare_array(pixels[np.newaxis], image_size=height, channels=channels)[0]


def _is_hidden(path: pathlib.Path, root: pathlib.Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)
