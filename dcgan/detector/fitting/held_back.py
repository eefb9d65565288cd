"""How images that a detector has not learned from score as they arrive: reals, fakes held back."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from dcgan.data import indexed_images
from dcgan.data.indexed_images import Images
from dcgan.detector.delivery import deliveries, named_deliveries
from dcgan.detector.detector_model import Detector
from dcgan.detector.fakes import histogram_matching
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.inputs.reals import Reals
from dcgan.detector.threshold import Scores

_FAKES = 1_000
_REALS, _ALL = "reals", "all families"


def score(
    detector: Detector,
    folds: dict[str, Detector],
    fakes: FakePool,
    reals: Reals,
    *,
    names: Sequence[str],
    seed: int = 0,
) -> Scores:
    """Scores the calibration reals and fakes held back from training, half of them histogram-matched.

    Reals are scored under each named delivery, for the threshold; reals and fakes are scored under a
    random chain each, for the probabilities.

    Each fake counts twice: with the detector's own score, which a generator of a known family gets,
    and with a score nearer to the reals, as a generator of an unknown family would get. How much nearer
    is what the folds tell: the one that has not learned from the fake's family, beside the others.

    Args:
        detector: Trained on other fakes of the same generators.
        folds: By family, the detector that has not learned from it.
        fakes: The fakes held back; at most 1,000 of them, and of each family, are scored, and as many
            of those that the user gave.
        reals: The `calibration` part is scored; fakes are matched to the `train` part.
        names: Keys of `named_deliveries.NAMED`.
        seed: Seed for the choice of fakes and for the deliveries. Defaults to 0.

    Returns:
        What a calibration rests on.
    """
    parts = {_ALL: fakes, **{name: fakes.where(fakes.families == name) for name in folds}}
    mixed = {name: _mix(part, reals.train, seed=seed) for name, part in parts.items()}
    images = {_REALS: reals.calibration, **{name: part.images for name, part in mixed.items()}}
    scores = _score_chained({_ALL: detector, **folds}, images, seed=seed)
    real, known = scores[_ALL][_REALS], scores[_ALL][_ALL]
    kept = {family: _distance_kept(family, list(folds), scores) for family in folds}
    # Families without a fold, whose fakes the user gave, are taken to be like the others.
    average = float(np.mean(list(kept.values()))) if kept else 1.0
    shares = np.array([kept.get(family, average) for family in mixed[_ALL].families.tolist()])
    unknown = real.mean() + shares * (known - real.mean())
    return Scores(
        delivered_reals=_score_delivered(detector, reals.calibration, names, seed=seed),
        deliveries=np.array(names),
        reals=real,
        fakes=np.concatenate([known, unknown]),
        generators=np.tile(mixed[_ALL].generators, 2),
    )


def score_reals(
    detector: Detector, scores: Scores, images: Images, *, names: Sequence[str], seed: int = 0
) -> Scores:
    """Replaces the scores of reals.

    Args:
        detector: The detector.
        scores: What `score` returned.
        images: Other reals, shape (count, height, width, channels), uint8.
        names: Keys of `named_deliveries.NAMED`.
        seed: Seed of the deliveries. Defaults to 0.
    """
    return dataclasses.replace(
        scores,
        delivered_reals=_score_delivered(detector, images, names, seed=seed),
        deliveries=np.array(names),
        reals=_score_chained({_ALL: detector}, {_REALS: images}, seed=seed)[_ALL][_REALS],
    )


def _score_chained(
    networks: dict[str, Detector], images: Mapping[str, Images], *, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Returns each network's logits of each group of images, every image under a chain of its own."""
    rng = np.random.default_rng(seed)
    scores: dict[str, dict[str, np.ndarray]] = {name: {} for name in networks}
    for group, pixels in images.items():
        logits: dict[str, list[np.ndarray]] = {name: [] for name in networks}
        for part in indexed_images.in_parts(pixels):
            chained = deliveries.random_chains(part, rng=rng)
            for name, network in networks.items():
                logits[name].append(network.raw_scores(chained))
        for name, parts in logits.items():
            scores[name][group] = np.concatenate(parts)
    return scores


def _score_delivered(
    detector: Detector, images: Images, names: Sequence[str], *, seed: int
) -> np.ndarray:
    """Returns a row of logits for each delivery."""
    rows = []
    for number, part in enumerate(indexed_images.in_parts(images)):
        # Each part has seeds of its own.
        delivered = named_deliveries.deliver_each(part, names, seed=seed + number * len(names))
        rows.append(np.stack([detector.raw_scores(pixels) for _, pixels in delivered]))
    return np.concatenate(rows, axis=1)


def _mix(fakes: FakePool, reals: Images, *, seed: int) -> FakePool:
    """Some of the fakes in random order, every other one histogram-matched."""
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(fakes.is_learned == learned) for learned in (False, True)]
    chosen = fakes.where(np.concatenate([rng.permutation(rows)[:_FAKES] for rows in groups]))
    images = chosen.images.copy()
    images[1::2] = histogram_matching.match_histograms(
        images, reals, groups=chosen.generators, seed=seed
    )[1::2]
    return dataclasses.replace(chosen, images=images)


def _distance_kept(family: str, folds: list[str], scores: dict[str, dict[str, np.ndarray]]) -> float:
    """The share of a family's distance from the reals that is left if it was not learned from."""

    def distance(network: str) -> float:
        real, fake = scores[network][_REALS], scores[network][family]
        return max(1e-6, float((fake.mean() - real.mean()) / max(float(real.std()), 1e-6)))

    others = [distance(name) for name in folds if name != family]
    return min(1.0, float(distance(family) / np.mean(others)))
