"""What a trial's model is measured by: distances of its samples, or the detector it makes."""

import functools
import pathlib

import keras
import numpy as np
import sklearn.metrics

from dcgan import data, detector, features, metrics
from dcgan import images as pixels
from dcgan.config import RunConfig
from dcgan.detector.delivery import deliveries
from dcgan.detector.fakes import reconstructions
from dcgan.errors import InputError
from dcgan.model import DCGAN
from tuning import trial_records
from tuning.search_config import SearchConfig
from tuning.trial_records import TrialRecord

_SEED = 0
# Several only where the KID is the objective: each takes a third of the time of drawing the samples.
_SUBSETS = 5
_FEWEST_REALS = 100

_DETECTOR_STEPS = 200
_DETECTOR_SEED = 424_242
_FAKES = 4_000
_TESTED = 1_000
_REBUILDING_STEPS = 120


class Detection:
    """Fits a small detector on a model's discriminator and its own fakes, and tests it.

    The test's fakes are reals rebuilt by autoencoders and denoisers. None of these is among the
    holdout generators of a detector's report, so that no search is led by what the report calls
    unseen. Reals and fakes come under random chains of deliveries.
    """

    def __init__(self, images: data.Partition, *, steps: int = _DETECTOR_STEPS) -> None:
        self._reals = detector.Reals.of(images)
        config = detector.DetectorConfig(steps=steps, deliveries="as they are")
        self._config = config.certify(len(self._reals.calibration), None)
        rebuilt = reconstructions.rebuild(
            self._reals.train,
            count=_TESTED * len(reconstructions.REBUILDERS),
            steps=_REBUILDING_STEPS,
            seed=_DETECTOR_SEED,
            callback=keras.callbacks.Callback(),
        )
        rng = np.random.default_rng(_DETECTOR_SEED)
        self._tested = [deliveries.random_chains(fakes.images, rng=rng) for fakes in rebuilt]
        self._unseen = deliveries.random_chains(self._reals.test[:_TESTED], rng=rng)

    def measure(self, model: DCGAN) -> float:
        """Returns the mean AUROC over the generators; the model does not change."""
        count = min(_FAKES, len(self._reals.train))
        drawn = pixels.to_uint8(model.generate(count, seed=_DETECTOR_SEED))
        pool = detector.FakePool.join([detector.Fakes("own", "gan", drawn)])
        fitted = detector.fit(model.discriminator, pool, self._reals, config=self._config).detector
        real = fitted.raw_scores(self._unseen)
        return float(np.mean([_auroc(real, fitted.raw_scores(fakes)) for fakes in self._tested]))


class Goal:
    """Measures models by a search's objective.

    Args:
        config: The search.
        reference: What distances are measured against.
        images: The search's images.
    """

    def __init__(
        self, config: SearchConfig, reference: features.Reference, images: data.Partition
    ) -> None:
        self.name = config.objective
        self.direction = config.direction
        self._reference = reference
        self._images = images

    @functools.cached_property
    def _detection(self) -> Detection:
        return Detection(self._images)

    def measure(self, model: DCGAN) -> dict[str, float]:
        """Measures a model by samples of its averaged generator.

        Returns:
            "val_frechet_distance", "val_kid" and, if it is the objective, "detector_auroc".
        """
        measured = self._distances(model.generate(self._reference.fake_count, seed=_SEED))
        if self.name == "detector_auroc":
            measured["detector_auroc"] = self._detection.measure(model)
        return measured

    def better(self, score: float, other: float) -> bool:
        """Returns whether a score is better than another."""
        return score < other if self.direction == "min" else score > other

    def failure(self, reason: str) -> TrialRecord:
        """Returns the record of a failed trial, with the worst score."""
        score = self.worst[self.name]
        return TrialRecord(
            trial="", status=trial_records.FAILED, score=score, reason=reason, metrics=self.worst
        )

    @functools.cached_property
    def worst(self) -> dict[str, float]:
        """A failed trial's metrics: twice the distance of plain grey or of noise, an AUROC of 0.

        A generator that has just begun may be farther off than grey and noise without being a failure.
        """
        shape = (self._reference.fake_count, *self._images.rest.images.shape[1:])
        grey = self._distances(np.zeros(shape, np.float32))
        noise = self._distances(np.random.default_rng(_SEED).uniform(-1, 1, shape).astype(np.float32))
        worse = {name: 2 * max(grey[name], noise[name]) for name in grey}
        return worse | ({"detector_auroc": 0.0} if self.name == "detector_auroc" else {})

    def _distances(self, samples: np.ndarray) -> dict[str, float]:
        real, seen = self._reference.statistics.real, self._reference.extractor.embed(samples).features
        subsets = _SUBSETS if self.name == "val_kid" else 1
        kid, _ = metrics.kernel_inception_distance(real.kept.features, seen, subsets=subsets, seed=_SEED)
        return {
            "val_frechet_distance": metrics.frechet_distance(real.moments, metrics.Moments.of(seen)),
            "val_kid": kid,
        }


def make_reference(
    base: RunConfig, images: data.Partition, *, count: int, cache: pathlib.Path
) -> features.Reference:
    """Returns what samples are measured against, computed once for all workers.

    Args:
        base: Names the feature extractor.
        images: The search's images; those that are held out are the reference.
        count: How many samples will be measured.
        cache: Directory to keep it in.

    Raises:
        InputError: If there is no feature extractor, or fewer than 100 images are held out.
    """
    is_enough = len(images.held_out.images) >= _FEWEST_REALS
    extractor = features.for_run(base, images.rest if is_enough else None, cache_dir=cache)
    if extractor is None:
        raise InputError("features none: expected a feature extractor, by which trials are compared")
    reals = images.held_out.images
    if not is_enough:
        raise InputError(
            f"{base.data}: expected at least {_FEWEST_REALS} images in the test split or held out, by "
            f"which trials are compared, found {len(reals)}"
        )
    return features.Reference.compute(reals, extractor, fake_count=count, cache_dir=cache)


def _auroc(real: np.ndarray, fake: np.ndarray) -> float:
    labels = np.repeat([0, 1], [len(real), len(fake)])
    return float(sklearn.metrics.roc_auc_score(labels, np.concatenate([real, fake])))
