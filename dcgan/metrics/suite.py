"""All metrics of a set of fakes at once."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from dcgan.metrics import classes, kid, neighbors
from dcgan.metrics.embedding import Embedding
from dcgan.metrics.frechet import frechet_distance
from dcgan.metrics.moments import Moments
from dcgan.metrics.score import Score


class Real(NamedTuple):
    """Real images as the metrics need them.

    Attributes:
        moments: Moments of all their features.
        kept: Features and probabilities of all of them or a random part, for the metrics that
            compare sample with sample.
    """

    moments: Moments
    kept: Embedding

    @classmethod
    def of(cls, embedding: Embedding) -> "Real":
        """Keeps all samples."""
        return cls(Moments.of(embedding.features), embedding)


class Figure(NamedTuple):
    """A metric's value, its spread over subsets and how many real images were compared with."""

    value: float
    spread: float | None
    real_count: int


class Metrics(Protocol):
    """A function from real images, fakes and a seed to figures by metric."""

    def __call__(self, real: Real, fake: Embedding, *, seed: int) -> dict[str, Figure]:
        """Computes the figures."""


def evaluate_features(
    real: Embedding,
    fake: Embedding,
    *,
    features: str,
    seed: int = 0,
    floor_real: Embedding | None = None,
) -> dict[str, Score]:
    """Compares fakes with real images in every metric.

    Args:
        real: What the extractor made of real images that neither the generator nor the extractor learned
            from.
        fake: What the same extractor made of the fakes, at least 10 of them.
        features: Name of the extractor, for the record.
        seed: Seed of every draw. Defaults to 0.
        floor_real: Real images of another split, at least as many as fakes. As many are drawn and
            measured as if they were fakes, which gives each score its floor. Defaults to None.

    Returns:
        Scores by metric. Those of classes are there if the extractor gave probabilities.

    Raises:
        ValueError: If the sets do not fit each other or are too small.

    Example:
        >>> real, fake = extractor.embed(test), extractor.embed(fakes)
        >>> scores = evaluate_features(real, fake, features="mnist")
        >>> scores["frechet_distance"].value
        3.2
    """
    statistics = Real.of(real)
    return to_scores(
        all_metrics(statistics, fake, seed=seed),
        features=features,
        fake_count=fake.count,
        seed=seed,
        floor=floor_values(statistics, floor_real, count=fake.count, seed=seed),
    )


def distance_metrics(real: Real, fake: Embedding, *, seed: int) -> dict[str, Figure]:
    """Computes the Frechet and the KID, the two that are cheap enough for training.

    Args:
        real: Real images.
        fake: Fakes of the same extractor.
        seed: Seed of every draw.

    Returns:
        Figures by metric.
    """
    frechet = frechet_distance(real.moments, Moments.of(fake.features))
    mean, spread = kid.kernel_inception_distance(real.kept.features, fake.features, seed=seed)
    return {
        "frechet_distance": Figure(frechet, None, real.moments.count),
        "kid": Figure(mean, spread, real.kept.count),
    }


def all_metrics(real: Real, fake: Embedding, *, seed: int) -> dict[str, Figure]:
    """Computes every metric; those of classes only where both sides have probabilities.

    Args:
        real: Real images.
        fake: Fakes of the same extractor.
        seed: Seed of every draw.

    Returns:
        Figures by metric.
    """
    count = real.kept.count
    figures = distance_metrics(real, fake, seed=seed)
    near = neighbors.neighborhood(real.kept.features, fake.features)
    figures |= {name: Figure(value, None, count) for name, value in near._asdict().items()}
    if real.kept.probabilities is None or fake.probabilities is None:
        return figures
    score, spread = classes.classifier_score(fake.probabilities, seed=seed)
    divergence = classes.class_divergence(real.kept.probabilities, fake.probabilities)
    entropy = classes.entropy(classes.class_shares(fake.probabilities))
    return figures | {
        "class_divergence": Figure(divergence, None, count),
        "class_entropy": Figure(entropy, None, count),
        "classifier_score": Figure(score, spread, count),
    }


def floor_values(
    real: Real, other: Embedding | None, *, count: int, seed: int
) -> dict[str, float] | None:
    """Scores real images of another split as if they were fakes.

    Args:
        real: Real images.
        other: Real images of another split, or None.
        count: How many are drawn: as many as fakes, because most metrics depend on the number.
        seed: Seed of every draw.

    Returns:
        Values by metric; None without other images.

    Raises:
        ValueError: If there are fewer than `count` of them.
    """
    if other is None:
        return None
    if other.count < count:
        raise ValueError(
            f"Expected at least as many real images for the floor as fakes, {count}. "
            f"Received: {other.count}"
        )
    figures = all_metrics(real, other.sample(count, seed=seed), seed=seed)
    return {name: figure.value for name, figure in figures.items()}


def to_scores(
    figures: Mapping[str, Figure],
    *,
    features: str,
    fake_count: int,
    seed: int,
    floor: Mapping[str, float] | None,
) -> dict[str, Score]:
    """Adds to figures what makes them comparable.

    Args:
        figures: Figures by metric.
        features: Name of the extractor.
        fake_count: How many fakes were measured.
        seed: Seed of every draw.
        floor: Values of real images in the fakes' place, by metric, or None.

    Returns:
        Scores by metric.
    """
    return {
        name: Score(
            name=name,
            value=figure.value,
            spread=figure.spread,
            features=features,
            real_count=figure.real_count,
            fake_count=fake_count,
            seed=seed,
            floor=None if floor is None else floor[name],
        )
        for name, figure in figures.items()
    }
