"""The classifier of colour images: the start as it came, beside a copy of it that learns."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import scipy.special

from dcgan import images as pixels
from dcgan.data.indexed_images import Images
from dcgan.detector.delivery import deliveries
from dcgan.detector.layers.joined_evidence import JoinedEvidence
from dcgan.detector.layers.residual_layers import EXACT
from dcgan.detector.start.start_files import load_start

START, LEARNER = "start", "learner"
"""The names of the two branches."""
_EVIDENCE = "evidence"
_REALS, _BATCH = 2_000, 256


def build_colour_classifier(
    image_shape: tuple[int, int, int], *, precision: str = EXACT, seed: int = 0
) -> keras.Model:
    """Builds a classifier of two branches that have the start's weights; one of them is frozen.

    Args:
        image_shape: (height, width, 3).
        precision: Keras's dtype policy of the convolutions of the branch that learns. Defaults to
            "float32".
        seed: Seed of its dropout. Defaults to 0.

    Returns:
        A model from images, float32, -1 to 1, to (batch, 1) logits, float32, higher for fakes.
    """
    start = load_start(image_shape, name=START, frozen=True)
    learner = load_start(image_shape, name=LEARNER, precision=precision, seed=seed)
    images = keras.Input(image_shape, name="images")
    evidence = JoinedEvidence(dtype=EXACT, name=_EVIDENCE)
    return keras.Model(images, evidence(start(images), learner(images)), name="classifier")


def has_start(classifier: keras.Model) -> bool:
    """Whether a detector's classifier is one of two branches."""
    return any(layer.name == _EVIDENCE for layer in classifier.layers)


def learner_of(classifier: keras.Model) -> keras.Model:
    """Returns what of a detector's classifier is trained: one of two branches, or all of it."""
    return classifier.get_layer(LEARNER) if has_start(classifier) else classifier


def score_branches(classifier: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns the logits of each branch and of both together.

    Args:
        classifier: What `build_colour_classifier` returned.
        images: Shape (count, height, width, 3), uint8.

    Returns:
        Shape (count, 3), float32: the start's, the learner's, both.
    """
    branches = [classifier.get_layer(name) for name in (START, LEARNER)]
    join = classifier.get_layer(_EVIDENCE)

    def score(batch: np.ndarray) -> Any:
        logits = [branch(batch, training=False) for branch in branches]
        return keras.ops.concatenate([*logits, join(*logits)], axis=-1)

    return _in_batches(score, images)


def evidence_maps(classifier: keras.Model, images: np.ndarray) -> np.ndarray:
    """Measures how much each place gives to the logit, which is one of the places' mean.

    Args:
        classifier: What `build_colour_classifier` returned.
        images: Shape (count, height, width, 3), uint8.

    Returns:
        Shape (count, about height / 4, about width / 4), float32, higher where a fake is seen.

    Reference:
        class activation maps: [Zhou et al., 2016](https://arxiv.org/abs/1512.04150)
    """
    means, deviations, factors = classifier.get_layer(_EVIDENCE).get_weights()
    logits = [_logit_maps(classifier.get_layer(name), images) for name in (START, LEARNER)]
    maps = (np.stack(logits, axis=-1) - means) / deviations
    # A branch counts as much as a change of its logit changes that of both.
    weights = scipy.special.softmax(maps.mean(axis=(1, 2), keepdims=True) + np.log(factors), axis=-1)
    return (weights * maps).sum(axis=-1)


def standardise(
    classifier: keras.Model, reals: Images, *, start_factor: float = 1.0, seed: int = 0
) -> None:
    """Measures both branches by reals under random chains of deliveries.

    Args:
        classifier: What `build_colour_classifier` returned, trained.
        reals: Shape (count, height, width, 3), uint8; at most 2,000 of them are used.
        start_factor: How much the start's evidence counts, the learner's being 1. Defaults to 1.
        seed: Seed of the choice and the deliveries. Defaults to 0.
    """
    rng = np.random.default_rng(seed)
    chosen = reals[rng.permutation(len(reals))[:_REALS]]
    logits = score_branches(classifier, deliveries.random_chains(chosen, rng=rng))
    classifier.get_layer(_EVIDENCE).standardise(logits[:, :2], (start_factor, 1.0))


def _logit_maps(branch: keras.Model, images: np.ndarray) -> np.ndarray:
    """A branch's logit at each place, before the mean."""
    places = keras.Model(branch.input, branch.get_layer("mean").input)
    to_logits = branch.get_layer("logits")
    return _in_batches(lambda batch: to_logits(places(batch, training=False))[..., 0], images)


def _in_batches(function: Callable[[np.ndarray], Any], images: np.ndarray) -> np.ndarray:
    """Calls a function of float images on uint8 ones."""
    starts = range(0, len(images), _BATCH)
    parts = [function(pixels.to_float(images[start : start + _BATCH])) for start in starts]
    return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])
