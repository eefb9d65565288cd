"""What learning brought: fakes held back from it, told before and after."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn import metrics

from dcgan.detector.delivery import file_histories
from dcgan.detector.delivery.named_deliveries import NAMED
from dcgan.detector.detector_model import Detector
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.inputs.reals import Reals
from dcgan.detector.learning import learned_fakes

AS_THEY_ARE, COMPRESSED = "as they are", "jpeg 75"
_REALS, _FAKES = 2_000, 1_000
_FEW = 50
_TOO_FEW = " So few say little: `dcgan detect evaluate RUN --fakes NAME=PATH` tests it on others."


def measure(
    before: Detector, after: Detector, pool: FakePool, reals: Reals, *, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Measures two detectors on the fakes held back of each learned generator, and on test reals.

    Args:
        before: The detector as it was.
        after: The one that has learned.
        pool: All fakes; of each generator at most 1,000 are scored.
        reals: Their `test` part is scored, at most 2,000 of it.
        seed: Seed of the deliveries. Defaults to 0.

    Returns:
        By the user's name of each generator: how many were `learned` and `held_back`; `before` and
        `after`, the AUROC by delivery.
    """
    rows = {}
    for generator in np.unique(pool.generators[pool.is_learned]).tolist():
        drawn = pool.where(pool.generators == generator)
        kept = drawn.where(pool.held_back[pool.generators == generator])
        kept = kept.where(np.arange(len(kept.images)) < _FAKES)
        images = np.concatenate([_match(reals, kept, seed=seed), kept.images])
        rows[learned_fakes.name_of(generator)] = {
            "learned": len(drawn.images) - int(pool.held_back[pool.generators == generator].sum()),
            "held_back": len(kept.images),
            "before": _rank(before, images, len(kept.images), seed=seed),
            "after": _rank(after, images, len(kept.images), seed=seed),
        }
    return rows


def describe(gains: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Says what `measure` returned, a sentence for each generator."""
    return [
        f"Of {row['held_back']:,} held-back fakes of {name}: AUROC {row['before'][AS_THEY_ARE]:.3f} "
        f"before, {row['after'][AS_THEY_ARE]:.3f} after learning {row['learned']:,} (after JPEG 75: "
        f"{row['before'][COMPRESSED]:.3f} and {row['after'][COMPRESSED]:.3f})."
        f"{_TOO_FEW if row['held_back'] < _FEW else ''}"
        for name, row in gains.items()
    ]


def _match(reals: Reals, fakes: FakePool, *, seed: int) -> np.ndarray:
    """Test reals, compressed if the fakes were and they were not."""
    images = reals.test[:_REALS]
    if file_histories.share_of_jpegs(reals.jpeg_qualities):
        return images
    matched = file_histories.match_fakes(
        images, None, fakes.jpeg_qualities, likelihoods=np.ones(len(fakes.images)), seed=seed
    )
    return np.asarray(matched)


def _rank(detector: Detector, images: np.ndarray, fakes: int, *, seed: int) -> dict[str, float]:
    labels = np.arange(len(images)) >= len(images) - fakes
    return {
        name: float(metrics.roc_auc_score(labels, detector.raw_scores(NAMED[name](images, seed))))
        for name in (AS_THEY_ARE, COMPRESSED)
    }
