"""Leave one family out: what to expect of a kind of generator that nobody has seen."""

from collections.abc import Mapping

import numpy as np

from dcgan.detector.delivery import named_deliveries
from dcgan.detector.detector_model import Detector
from dcgan.detector.evaluation import detection_metrics
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.fit_progress import Progress, ignore

_REALS, _FAKES = 1_000, 500


def measure_families(
    folds: Mapping[str, Detector],
    pool: FakePool,
    reals: np.ndarray,
    *,
    seed: int = 0,
    progress: Progress = ignore,
) -> dict[str, dict[str, float | str]]:
    """Measures how well each fold tells the family that it was kept from, under all deliveries.

    Args:
        folds: By family, a detector that has not learned from it.
        pool: The pool that the folds learned from; at most 500 fakes of each family are scored.
        reals: Unseen reals, of which at most 1,000 are scored; shape (count, height, width, channels),
            uint8.
        seed: Seed of the choice and the deliveries. Defaults to 0.
        progress: Called after each fold. Defaults to nothing.

    Returns:
        By family, the worst first: `mean_auroc` over the deliveries, `worst_auroc` and
        `worst_delivery`.
    """
    rng = np.random.default_rng(seed)
    rows = {}
    for done, (family, fold) in enumerate(folds.items(), 1):
        chosen = rng.permutation(np.flatnonzero(pool.families == family))[:_FAKES]
        images = np.concatenate([reals[:_REALS], pool.images[chosen]])
        rows[family] = {
            name: {family: _rank(fold, delivered, fakes=len(chosen))}
            for name, delivered in named_deliveries.deliver_each(images, seed=seed)
        }
        progress("without each kind", done / len(folds))
    ranked = {family: detection_metrics.rank_generators(row)[family] for family, row in rows.items()}
    return dict(sorted(ranked.items(), key=lambda entry: entry[1]["mean_auroc"]))


def _rank(fold: Detector, images: np.ndarray, *, fakes: int) -> dict[str, float]:
    scores = fold.raw_scores(images)
    return detection_metrics.rank(scores[:-fakes], scores[-fakes:])
