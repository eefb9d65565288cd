"""All metrics of a set of fakes at once."""

import functools
from collections.abc import Mapping
from typing import NamedTuple

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

    Example:
        >>> real = Real.of(Embedding(np.random.default_rng(0).normal(size=(500, 4))))
        >>> real.moments.count, real.kept.count
        (500, 500)
    """

    moments: Moments
    kept: Embedding

    @classmethod
    def of(cls, embedding: Embedding) -> "Real":
        """Keeps all samples."""
        return cls(Moments.of(embedding.features), embedding)


def evaluate_features(
    real: Real,
    fake: Embedding,
    *,
    features: str,
    seed: int = 0,
    floor: Mapping[str, float] | None = None,
    distances_only: bool = False,
) -> dict[str, Score]:
    """Compares fakes with real images.

    Args:
        real: Real images that neither the generator nor the extractor learned from.
        fake: At least 10 fakes, embedded by the same extractor.
        features: Name of the extractor, for the record.
        seed: Seed of every draw. Defaults to 0.
        floor: What `floor_values` returned. Defaults to None.
        distances_only: Whether to compute only the Frechet distance and the KID, which are cheap enough
            for training. Defaults to False.

    Returns:
        Scores by metric. Those of classes are there if the extractor gave probabilities.

    Raises:
        ValueError: If the sets do not fit each other or are too small.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> real, fake = (Embedding(rng.normal(mean, size=(500, 4))) for mean in (0, 1))
        >>> scores = evaluate_features(Real.of(real), fake, features="mine")
        >>> round(scores["frechet_distance"].value, 1)
        4.2
        >>> round(scores["coverage"].value, 1)
        0.5
    """
    measured = _distances(real, fake, seed=seed)
    if not distances_only:
        measured |= _neighborhood(real, fake) | _classes(real, fake, seed=seed)
    make = functools.partial(Score, features=features, fake_count=fake.count, seed=seed)
    return {
        name: make(
            name=name,
            value=value,
            spread=spread,
            real_count=(real.moments if name == "frechet_distance" else real.kept).count,
            floor=None if floor is None else floor[name],
        )
        for name, (value, spread) in measured.items()
    }


def floor_values(real: Real, other: Embedding, *, count: int, seed: int = 0) -> dict[str, float]:
    """Scores held-out real images as if they were fakes.

    Args:
        real: Real images.
        other: Real images of another split.
        count: How many of them are drawn: as many as fakes, because most metrics depend on the number.
        seed: Seed of every draw. Defaults to 0.

    Returns:
        Values by metric.

    Raises:
        ValueError: If there are fewer than `count` of them.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> real, other = (Embedding(rng.normal(size=(500, 4))) for _ in range(2))
        >>> floor = floor_values(Real.of(real), other, count=500)
        >>> round(floor["coverage"], 1)
        1.0
    """
    if other.count < count:
        raise ValueError(
            f"Expected at least as many real images for the floor as fakes, {count}. "
            f"Received: {other.count}"
        )
    scores = evaluate_features(real, other.sample(count, seed=seed), features="", seed=seed)
    return {name: score.value for name, score in scores.items()}


_Measured = dict[str, tuple[float, float | None]]


def _distances(real: Real, fake: Embedding, *, seed: int) -> _Measured:
    frechet = frechet_distance(real.moments, Moments.of(fake.features))
    kernel = kid.kernel_inception_distance(real.kept.features, fake.features, seed=seed)
    return {"frechet_distance": (frechet, None), "kid": kernel}


def _neighborhood(real: Real, fake: Embedding) -> _Measured:
    near = neighbors.neighborhood(real.kept.features, fake.features)
    return {name: (value, None) for name, value in near._asdict().items()}


def _classes(real: Real, fake: Embedding, *, seed: int) -> _Measured:
    if real.kept.probabilities is None or fake.probabilities is None:
        return {}
    divergence = classes.class_divergence(real.kept.probabilities, fake.probabilities)
    entropy = classes.entropy(classes.class_shares(fake.probabilities))
    return {
        "class_divergence": (divergence, None),
        "class_entropy": (entropy, None),
        "classifier_score": classes.classifier_score(fake.probabilities, seed=seed),
    }
