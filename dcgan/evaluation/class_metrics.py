"""How good a conditional run's samples of each class are, against held-out images of the class."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from dcgan import metrics
from dcgan.data import class_labels
from dcgan.evaluation.evaluated_run import EvaluatedRun
from dcgan.metrics import Embedding

# Fewer say little, more cost time.
_FEWEST, _MOST = 100, 500
_MOST_IN_ALL = 10_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Value:
    """A metric of a class.

    Attributes:
        value: That of the samples.
        floor: That of as many training images of the class.
    """

    value: float
    floor: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassMetrics:
    """Metrics of one class; those that few images suffice for.

    Attributes:
        label: The class's number.
        name: Its name, or its number.
        count: How many samples, held-out images and training images were compared.
        kid: Kernel inception distance. Lower is better.
        precision: Share of samples that resemble held-out images. Higher is better.
        recall: Share of held-out images that resemble samples. Higher is better.
    """

    label: int
    name: str
    count: int
    kid: Value
    precision: Value
    recall: Value


def measure(run: EvaluatedRun, labels: np.ndarray | None, samples: Embedding) -> list[ClassMetrics]:
    """Measures each class of which there are at least 100 samples, held-out and training images.

    Args:
        run: What is evaluated.
        labels: The samples' classes, shape (count,); None for an unconditional run.
        samples: The samples, embedded.

    Returns:
        The classes' metrics; none for an unconditional run.
    """
    if labels is None or run.test.labels is None or run.train.labels is None:
        return []
    most = min(_MOST, _MOST_IN_ALL // run.model.classes)
    sources = (labels, run.test.labels, run.train.labels)
    return [
        _measure_class(run, label, rows, samples)
        for label in range(run.model.classes)
        if len((rows := _choose(sources, label, most=most, seed=run.seed))[0]) >= _FEWEST
    ]


def _choose(
    sources: tuple[np.ndarray, ...], label: int, *, most: int, seed: int
) -> tuple[np.ndarray, ...]:
    """Returns equally many rows of a class from each source."""
    found = [np.flatnonzero(source == label) for source in sources]
    count = min(most, *map(len, found))
    rng = np.random.default_rng([seed, label])
    return tuple(np.sort(rng.permutation(rows)[:count]) for rows in found)


def _measure_class(
    run: EvaluatedRun, label: int, rows: tuple[np.ndarray, ...], samples: Embedding
) -> ClassMetrics:
    own, test, train = rows
    real = run.extractor.embed(run.test.images[test]).features
    others = run.extractor.embed(run.train.images[train]).features
    values, floors = (
        dict(_compare(real, fake, seed=run.seed)) for fake in (samples.features[own], others)
    )
    return ClassMetrics(
        label=label,
        name=class_labels.describe(label, run.train.class_names),
        count=len(own),
        **{name: Value(value=values[name], floor=floors[name]) for name in values},
    )


def _compare(real: np.ndarray, fake: np.ndarray, *, seed: int) -> Iterator[tuple[str, float]]:
    yield "kid", metrics.kernel_inception_distance(real, fake, seed=seed)[0]
    near = metrics.neighborhood(real, fake)
    yield from (("precision", near.precision), ("recall", near.recall))
