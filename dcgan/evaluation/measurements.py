"""What is measured of an evaluated run."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from dcgan import callbacks
from dcgan.evaluation import class_metrics, nearest_images
from dcgan.evaluation.class_metrics import ClassMetrics
from dcgan.evaluation.evaluated_run import EvaluatedRun
from dcgan.features import Reference
from dcgan.metrics import Embedding, Score, class_shares

_COMPARED = 1000
_WALKS, _STEPS = 6, 10
_DRAWING, _MEASURING, _NEAREST, _CLASSES = "drawing", "measuring", "nearest images", "classes"
# Each kind of draw has its own stream of the seed.
_SAMPLES, _ENDS, _TEST = range(3)


@dataclasses.dataclass(frozen=True, eq=False)
class Classes:
    """Shares of images by class, as the extractor classifies them.

    Attributes:
        names: The classes.
        real: Shares among test images, shape (classes,).
        samples: Shares among samples, likewise.
    """

    names: tuple[str, ...]
    real: np.ndarray
    samples: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Measurements:
    """Metrics and samples of a run.

    Attributes:
        samples: The measured samples, shape (count, height, width, channels), uint8.
        labels: The classes that they were drawn of, shape (count,); None if the run is unconditional.
        scores: Scores by metric, each with extractor, counts, seed and floor.
        nearest_by_features: Nearest training images of the first 1000 samples, by the extractor's
            features.
        nearest_by_pixels: Likewise by pixels, in grey levels.
        classes: Shares of the extractor's classes; None for a feature extractor without classes.
        by_class: Metrics of each class of a conditional run, where there are images enough.
        interpolations: Rows of samples on the way from one latent to another, shape (rows, steps,
            height, width, channels), uint8.
    """

    samples: np.ndarray
    labels: np.ndarray | None
    scores: dict[str, Score]
    nearest_by_features: nearest_images.Comparison
    nearest_by_pixels: nearest_images.Comparison
    classes: Classes | None
    by_class: list[ClassMetrics]
    interpolations: np.ndarray


def measure(run: EvaluatedRun, *, progress: Callable[[str, float], None]) -> Measurements:
    """Draws samples and measures them.

    Args:
        run: What is evaluated.
        progress: Called with the name of each part and the share of it that is done.
    """
    progress(_DRAWING, 0.0)
    rng = np.random.default_rng([run.seed, _SAMPLES])
    labels = run.model.sample_labels(run.count, seed=run.seed) if run.model.classes else None
    samples = run.draw(_normal(rng, run.count, run.model.latent_dim), labels)
    progress(_DRAWING, 1.0)
    progress(_MEASURING, 0.0)
    reference = Reference.compute(
        run.test.images,
        run.extractor,
        floor_images=run.train.images,
        fake_count=run.count,
        seed=run.seed,
        cache_dir=run.directory.references,
    )
    progress(_MEASURING, 0.4)
    embedding = run.extractor.embed(samples)
    scores = reference.evaluate(embedding)
    progress(_MEASURING, 1.0)
    progress(_NEAREST, 0.0)
    by_features, by_pixels = _compare(run, samples, embedding)
    progress(_NEAREST, 1.0)
    by_class = class_metrics.measure(run, labels, embedding)
    if labels is not None:
        progress(_CLASSES, 1.0)
    return Measurements(
        samples=samples,
        labels=labels,
        scores=scores,
        nearest_by_features=by_features,
        nearest_by_pixels=by_pixels,
        classes=_classes(run, reference.statistics.real.kept, embedding),
        by_class=by_class,
        interpolations=_interpolate(run),
    )


def _compare(
    run: EvaluatedRun, samples: np.ndarray, embedding: Embedding
) -> tuple[nearest_images.Comparison, nearest_images.Comparison]:
    """Compares by features and by pixels; some of the samples and test images suffice."""
    rng = np.random.default_rng([run.seed, _TEST])
    test = run.test.images
    test = test[rng.permutation(len(test))[:_COMPARED]]
    train = run.train.images
    return (
        nearest_images.compare(
            embedding.features[:_COMPARED],
            run.extractor.embed(test).features,
            candidates=(batch.features for batch in run.extractor.embed_batches(train)),
        ),
        nearest_images.compare(
            nearest_images.pixels(samples[:_COMPARED]),
            nearest_images.pixels(test),
            candidates=nearest_images.pixel_blocks(train),
        ),
    )


def _classes(run: EvaluatedRun, real: Embedding, samples: Embedding) -> Classes | None:
    if real.probabilities is None or samples.probabilities is None:
        return None
    count = real.probabilities.shape[1]
    return Classes(
        tuple(_class_names(run, count)),
        class_shares(real.probabilities),
        class_shares(samples.probabilities),
    )


def _class_names(run: EvaluatedRun, count: int) -> Sequence[str]:
    """Returns the data's class names if the extractor learned from the same data, or else numbers."""
    names = run.test.class_names
    same = run.extractor.trained_on.startswith(f"{run.test.name}:")
    return names if names and same and len(names) == count else [str(i) for i in range(count)]


def _interpolate(run: EvaluatedRun) -> np.ndarray:
    rng = np.random.default_rng([run.seed, _ENDS])
    dim = run.model.latent_dim
    ends = _normal(rng, 2 * _WALKS, dim).reshape(2, _WALKS, dim)
    latents = callbacks.slerp(ends[0], ends[1], np.linspace(0, 1, _STEPS))
    labels = None
    if run.model.classes:
        labels = np.repeat(np.resize(run.model.spread_labels(_WALKS), _WALKS), _STEPS)
    walks = run.draw(latents.reshape(-1, dim).astype(np.float32), labels)
    return walks.reshape(_WALKS, _STEPS, *walks.shape[1:])


def _normal(rng: np.random.Generator, count: int, dim: int) -> np.ndarray:
    return rng.standard_normal((count, dim), np.float32)
