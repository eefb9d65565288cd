"""What a colour detector owes to its start, and what to the run."""

import collections
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from sklearn import metrics

from dcgan.detector.delivery import named_deliveries
from dcgan.detector.fit_progress import Progress, ignore
from dcgan.detector.start import colour_classifier

_PARTS = (colour_classifier.START, colour_classifier.LEARNER, "both")
_REALS, _FAKES = 500, 250
_SHOWN = ("as they are", "jpeg 90", "jpeg 75")


def measure(
    classifier: keras.Model,
    reals: np.ndarray,
    fakes: Mapping[str, np.ndarray],
    *,
    seed: int = 0,
    progress: Progress = ignore,
) -> dict[str, float]:
    """Measures each branch of a colour detector's classifier on holdout generators.

    Args:
        classifier: What `colour_classifier.build_colour_classifier` returned, trained.
        reals: Unseen reals, of which at most 500 are scored; shape (count, height, width, 3), uint8.
        fakes: Fakes by generator, at most 250 of each, likewise.
        seed: Seed of the deliveries. Defaults to 0.
        progress: Called after each delivery. Defaults to nothing.

    Returns:
        The mean AUROC over generators and deliveries, by branch, and of "both".
    """
    groups = [reals[:_REALS], *(images[:_FAKES] for images in fakes.values())]
    ends = np.cumsum([len(group) for group in groups])[:-1]
    aurocs = []
    each = named_deliveries.deliver_each(np.concatenate(groups), seed=seed)
    for done, (_, images) in enumerate(each, 1):
        real, *drawn = np.split(colour_classifier.score_branches(classifier, images), ends)
        aurocs += [_rank(real, fake) for fake in drawn]
        progress("the start alone", done / len(named_deliveries.NAMED))
    return dict(zip(_PARTS, np.mean(aurocs, axis=0).tolist(), strict=True))


def describe(card: Mapping[str, Any], contribution: Mapping[str, float]) -> list[str]:
    """Says, a sentence each, what the start has seen, what to expect of others, what the run added.

    Args:
        card: What `read_card` returned.
        contribution: What `measure` returned.
    """
    generators = card["generators"]
    images = sum(generator["images"] for generator in generators)
    kinds = collections.Counter(generator["family"] for generator in generators).most_common()
    authors = len({generator["author"] for generator in generators})
    seen = ", ".join(f"{kind} {count}" for kind, count in kinds)
    start, learner, both = (contribution[part] for part in _PARTS)
    return [
        f"Its start has seen {images:,} fakes of {len(generators)} generators by {authors} authors "
        f"({seen}).",
        f"Of other authors' generators, expect a mean AUROC of {_by_delivery(card['left_out'])}: what "
        f"the start reaches on authors left out of its training.",
        f"On the generators it was tested on, in the mean over deliveries, the start alone has an AUROC "
        f"of {start:.3f}, what learned from this run {learner:.3f}, both together {both:.3f}.",
    ]


def _by_delivery(left_out: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    rows = left_out["author"]
    shown = [
        f"{rows[name]['mean_auroc']:.3f} {name if name == _SHOWN[0] else f'after {name}'} (worst "
        f"{rows[name]['worst_auroc']:.3f}, {rows[name]['worst']})"
        for name in _SHOWN
        if name in rows
    ]
    return ", ".join(shown)


def _rank(real: np.ndarray, fake: np.ndarray) -> list[float]:
    labels = np.repeat([0, 1], [len(real), len(fake)])
    scores = np.concatenate([real, fake])
    return [float(metrics.roc_auc_score(labels, column)) for column in scores.T]
