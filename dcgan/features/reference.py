"""Real images as a feature extractor sees them, ready to compare fakes with."""

import dataclasses
import itertools
import os
import pathlib

import numpy as np

from dcgan.data.indexed_images import Images
from dcgan.features.feature_extractor import FeatureExtractor
from dcgan.features.statistics_cache import Statistics, fingerprint, recall
from dcgan.metrics import suite
from dcgan.metrics.embedding import Embedding
from dcgan.metrics.moments import Moments
from dcgan.metrics.score import Score

_KEPT = 10_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reference:
    """Statistics of real images, computed once, against which sets of fakes are measured.

    The same images, extractor, seed and fakes give the same scores every time.

    Attributes:
        extractor: The extractor.
        statistics: Moments of all images; features of 10,000 of them at most, for the metrics that
            compare sample with sample; and the floor, if there is one.
        fake_count: How many fakes will be measured.
        seed: Seed of every draw.

    Example:
        >>> extractor = dcgan.features.load("mnist")
        >>> reference = dcgan.features.Reference.compute(images, extractor, fake_count=1000)
        >>> distances = reference.distances(model.generate(1000, seed=1))
        >>> distances["frechet_distance"].value > 0
        True
    """

    extractor: FeatureExtractor
    statistics: Statistics
    fake_count: int
    seed: int

    @classmethod
    def compute(
        cls,
        images: Images,
        extractor: FeatureExtractor,
        *,
        floor_images: Images | None = None,
        fake_count: int = 10_000,
        seed: int = 0,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> "Reference":
        """Embeds real images, or reads what an earlier call with the same arguments wrote.

        Args:
            images: Real images that neither the generator nor the extractor learned from, shape
                (count, height, width, channels), uint8.
            extractor: The extractor.
            floor_images: Real images of another split, at least `fake_count`, which are scored in the
                fakes' place for the floor. Defaults to None.
            fake_count: How many fakes will be measured. Defaults to 10,000.
            seed: Seed of every draw. Defaults to 0.
            cache_dir: Directory to keep the statistics in, unless the extractor has no digest. Defaults
                to None: nothing is kept.

        Returns:
            The reference.

        Raises:
            ValueError: If the images are not of the extractor's shape or `floor_images` are too few.
        """

        def measure() -> Statistics:
            real = _embed(images, extractor, seed=seed)
            if floor_images is None:
                return Statistics(real, None)
            rows = _choose(len(floor_images), fake_count, seed=seed)
            other = extractor.embed(floor_images[rows])
            return Statistics(real, suite.floor_values(real, other, count=fake_count, seed=seed))

        if cache_dir is None or not extractor.digest:
            statistics = measure()
        else:
            key = fingerprint(extractor.digest, images, floor_images, fake_count, seed)
            statistics = recall(pathlib.Path(cache_dir) / f"reference-{key}.npz", measure)
        return cls(extractor=extractor, statistics=statistics, fake_count=fake_count, seed=seed)

    def distances(self, images: np.ndarray | Embedding) -> dict[str, Score]:
        """Scores fakes by the Frechet distance and the KID, cheap enough for training.

        Args:
            images: `fake_count` fakes, shape (count, height, width, channels), float in [-1, 1] or
                uint8; or their embedding.

        Returns:
            Scores by metric.

        Raises:
            ValueError: If the images are of another number or shape.
        """
        return self._score(images, distances_only=True)

    def evaluate(self, images: np.ndarray | Embedding) -> dict[str, Score]:
        """Scores fakes by every metric; arguments and errors as for `distances`."""
        return self._score(images, distances_only=False)

    def _score(self, images: np.ndarray | Embedding, *, distances_only: bool) -> dict[str, Score]:
        fakes = images if isinstance(images, Embedding) else self.extractor.embed(images)
        if fakes.count != self.fake_count:
            raise ValueError(f"Expected {self.fake_count} fakes. Received: {fakes.count}")
        return suite.evaluate_features(
            self.statistics.real,
            fakes,
            features=self.extractor.name,
            seed=self.seed,
            floor=self.statistics.floor,
            distances_only=distances_only,
        )


def _embed(images: Images, extractor: FeatureExtractor, *, seed: int) -> suite.Real:
    """Takes moments of all images but keeps the features of a random part, batch by batch."""
    chosen = np.zeros(len(images), bool)
    chosen[_choose(len(images), _KEPT, seed=seed)] = True
    batches = extractor.embed_batches(images)
    first = next(batches)
    moments, kept = Moments(first.features.shape[1]), []
    for batch in itertools.chain([first], batches):
        rows = slice(moments.count, moments.count + batch.count)
        moments.update(batch.features)
        kept.append(batch.take(chosen[rows]))
    return suite.Real(moments, Embedding.concatenate(kept))


def _choose(total: int, count: int, *, seed: int) -> np.ndarray:
    """Draws `count` of `total` row numbers, or all if there are no more, in ascending order."""
    return np.sort(np.random.default_rng(seed).permutation(total)[:count])
