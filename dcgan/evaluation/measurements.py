"""What an evaluation finds out about its subject."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from dcgan import callbacks
from dcgan.evaluation import nearest_images
from dcgan.evaluation.evaluated_run import Subject
from dcgan.features import Reference
from dcgan.metrics import Embedding, Score, class_shares

_COMPARED = 1000
_WALKS, _STEPS = 6, 10
# Each kind of draw has its own stream of the seed.
_SAMPLES, _ENDS, _TEST = range(3)


@dataclasses.dataclass(frozen=True, eq=False)
class Classes:
    """The shares of images that the extractor puts into each class.

    Attributes:
        names: The classes.
        real: Shares among test images, shape (classes,).
        samples: Shares among samples, likewise.
    """

    names: tuple[str, ...]
    real: np.ndarray
    samples: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Findings:
    """Figures and pictures of a run.

    Attributes:
        samples: The measured samples, shape (count, height, width, channels), uint8.
        scores: By metric.
        features: Nearest training images of the first 1000 samples, by the extractor's features.
        pixels: Likewise, by pixels.
        classes: Shares of the extractor's classes; None for a feature extractor without.
        walks: Rows of samples on the way from one latent to another, shape (rows, steps, height,
            width, channels), uint8.
    """

    samples: np.ndarray
    scores: dict[str, Score]
    features: nearest_images.Comparison
    pixels: nearest_images.Comparison
    classes: Classes | None
    walks: np.ndarray


def find(subject: Subject, *, on_step: Callable[[str], None]) -> Findings:
    """Draws samples and measures them.

    Args:
        subject: The run, its images and the extractor.
        on_step: Called with what is done next.
    """
    on_step("Drawing samples")
    rng = np.random.default_rng([subject.seed, _SAMPLES])
    samples = subject.draw(_normal(rng, subject.count, subject.model.latent_dim))
    on_step("Looking at test images")
    reference = Reference.compute(
        subject.test.images,
        subject.extractor,
        floor_images=subject.train.images,
        fake_count=subject.count,
        seed=subject.seed,
        cache_dir=subject.run.references,
    )
    on_step("Measuring samples")
    embedding = subject.extractor.embed(samples)
    scores = reference.evaluate(embedding)
    on_step("Looking for the nearest training images")
    features, pixels = _compare(subject, samples, embedding)
    return Findings(
        samples=samples,
        scores=scores,
        features=features,
        pixels=pixels,
        classes=_classes(subject, reference.statistics.real.kept, embedding),
        walks=_walk(subject),
    )


def _compare(
    subject: Subject, samples: np.ndarray, embedding: Embedding
) -> tuple[nearest_images.Comparison, nearest_images.Comparison]:
    """Compares by features and by pixels; a part of samples and test images says enough."""
    rng = np.random.default_rng([subject.seed, _TEST])
    test = subject.test.images
    test = test[rng.permutation(len(test))[:_COMPARED]]
    train = subject.train.images
    return (
        nearest_images.compare(
            embedding.features[:_COMPARED],
            subject.extractor.embed(test).features,
            candidates=(batch.features for batch in subject.extractor.embed_batches(train)),
        ),
        nearest_images.compare(
            nearest_images.pixels(samples[:_COMPARED]),
            nearest_images.pixels(test),
            candidates=nearest_images.pixel_blocks(train),
        ),
    )


def _classes(subject: Subject, real: Embedding, samples: Embedding) -> Classes | None:
    if real.probabilities is None or samples.probabilities is None:
        return None
    count = real.probabilities.shape[1]
    return Classes(
        tuple(_class_names(subject, count)),
        class_shares(real.probabilities),
        class_shares(samples.probabilities),
    )


def _class_names(subject: Subject, count: int) -> Sequence[str]:
    """Returns the data's class names where the extractor learned from those data, else numbers."""
    names = subject.test.class_names
    same = subject.extractor.trained_on.startswith(f"{subject.test.name}:")
    return names if names and same and len(names) == count else [str(i) for i in range(count)]


def _walk(subject: Subject) -> np.ndarray:
    rng = np.random.default_rng([subject.seed, _ENDS])
    dim = subject.model.latent_dim
    ends = _normal(rng, 2 * _WALKS, dim).reshape(2, _WALKS, dim)
    latents = callbacks.slerp(ends[0], ends[1], np.linspace(0, 1, _STEPS))
    walks = subject.draw(latents.reshape(-1, dim).astype(np.float32))
    return walks.reshape(_WALKS, _STEPS, *walks.shape[1:])


def _normal(rng: np.random.Generator, count: int, dim: int) -> np.ndarray:
    return rng.standard_normal((count, dim), np.float32)
