"""What a trial's model is measured by."""

import functools

import numpy as np

from dcgan import features, metrics
from dcgan.model import DCGAN
from tuning.detector_objective import Detection
from tuning.search_config import SearchConfig

_SEED = 0
# Where the KID decides; otherwise one, as each takes a third of drawing the samples.
_SUBSETS = 5


class Goal:
    """Measures models as a search wants it.

    Args:
        config: The search.
        reference: What distances are measured against.
        image_shape: The images' height, width and channels.
        detection: Measures the detector on a discriminator, see `tuning.detector_objective.Detection`;
            needed for the objective "detector_auroc" only. Defaults to None.
    """

    def __init__(
        self,
        config: SearchConfig,
        reference: features.Reference,
        *,
        image_shape: tuple[int, ...],
        detection: Detection | None = None,
    ) -> None:
        self.name = config.objective
        self.direction = config.direction
        self._reference = reference
        self._image_shape = image_shape
        self._detection = detection

    def measure(self, model: DCGAN) -> dict[str, float]:
        """Measures a model, by samples of its generator's moving average.

        Args:
            model: The trained model.

        Returns:
            "val_frechet_distance", "val_kid" and, if it is the objective, "detector_auroc".
        """
        measured = self._distances(model.generate(self._reference.fake_count, seed=_SEED))
        if self._detection is not None:
            measured["detector_auroc"] = self._detection.measure(model)
        return measured

    def better(self, score: float, other: float) -> bool:
        """Tells whether a score is better than another."""
        return score < other if self.direction == "min" else score > other

    @functools.cached_property
    def worst(self) -> dict[str, float]:
        """What a failed trial scores: twice the distance of plain grey or noise, no detector at all.

        A generator that has just begun may be farther off than either, but is not a failure.
        """
        shape = (self._reference.fake_count, *self._image_shape)
        grey = self._distances(np.zeros(shape, np.float32))
        noise = np.random.default_rng(_SEED).uniform(-1, 1, shape).astype(np.float32)
        noisy = self._distances(noise)
        worse = {name: 2 * max(grey[name], noisy[name]) for name in grey}
        return worse if self._detection is None else worse | {"detector_auroc": 0.0}

    def _distances(self, samples: np.ndarray) -> dict[str, float]:
        real, seen = self._reference.statistics.real, self._reference.extractor.embed(samples).features
        subsets = _SUBSETS if self.name == "val_kid" else 1
        kid, _ = metrics.kernel_inception_distance(real.kept.features, seen, subsets=subsets, seed=_SEED)
        return {
            "val_frechet_distance": metrics.frechet_distance(real.moments, metrics.Moments.of(seen)),
            "val_kid": kid,
        }
