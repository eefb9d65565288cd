"""Requests whose answers are known: what a model is asked, and what it says while Keras runs it."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from dcgan.images import to_uint8
from dcgan.model import DCGAN
from dcgan.scoring import DECISIONS
from export.graph import signatures
from export.graph.scoring_model import ScoringModel
from export.serving import warmup_requests

_COUNT = 8
_JUNK = b"no image"


@dataclasses.dataclass(frozen=True, eq=False)
class Probe:
    """One request.

    Attributes:
        signature: What is called.
        inputs: Arrays by name.
        expected: Outputs that Keras gives, arrays by name.
        rounding: How far numbers may be off for being rounded. Defaults to 0.
    """

    signature: str
    inputs: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]
    rounding: float = 0.0

    def find_break(self, answer: dict[str, np.ndarray]) -> str | None:
        """Returns why an answer cannot be compared, or None if it can be."""
        for name, wanted in self.expected.items():
            if name not in answer:
                return f"{self.signature}: no output {name}"
            if answer[name].shape != wanted.shape:
                return f"{self.signature}: {name} of shape {answer[name].shape}, not {wanted.shape}"
        return None

    def compare(self, answer: dict[str, np.ndarray], *, tolerance: float) -> tuple[float, list[str]]:
        """Compares an answer with Keras's.

        Args:
            answer: In which `find_break` finds nothing.
            tolerance: How far numbers may be off, those beyond 1 in proportion.

        Returns:
            How far they are off at most, and what is further off than that, a line an output.
        """
        largest, reasons = 0.0, []
        for name, wanted in self.expected.items():
            if wanted.dtype == object:
                wrong = int(np.sum(answer[name] != wanted))
                if wrong:
                    reasons.append(f"{self.signature}: {wrong} of {wanted.size} {name} are not Keras's")
                continue
            off = _distance(answer[name], wanted)
            largest = max(largest, off)
            if off > max(tolerance, self.rounding):
                reasons.append(f"{self.signature}: {name} is {off:.3g} from Keras's")
        return largest, reasons


def for_scoring_model(scorer: ScoringModel) -> list[Probe]:
    """Makes a request for each signature of a detector.

    Args:
        scorer: The model; it scores the images here and now.
    """
    pixels = _make_pixels(scorer.image_shape)
    images = pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)
    rows = _score(scorer, images)
    files = [tf.io.encode_png(image).numpy() for image in pixels]
    contents = np.array([*files, _JUNK], object)
    examples = np.array([warmup_requests.make_example(content) for content in contents], object)
    with_junk = _append_error(rows)
    p_fake = with_junk["p_fake"]
    classes = np.array([text.encode() for text in signatures.CLASSES], object)
    classified = {
        "classes": np.tile(classes, (len(p_fake), 1)),
        "scores": np.stack([1 - p_fake, p_fake], axis=1),
    }
    return [
        Probe("predict_images", {"images": images}, rows),
        Probe("predict_uint8", {"images": pixels}, rows),
        Probe("predict_bytes", {"image_bytes": contents}, with_junk),
        Probe("serving_default", {"examples": examples}, with_junk),
        Probe("classify", {"inputs": examples}, classified),
    ]


def for_generator(model: DCGAN) -> list[Probe]:
    """Makes a request for a generator.

    Args:
        model: It draws the images here and now.
    """
    latents = np.random.default_rng(0).normal(size=(_COUNT, model.latent_dim)).astype(np.float32)
    generator = model.ema_generator or model.generator
    images = _run(lambda: generator(tf.constant(latents), training=False))
    levels = to_uint8(tf.cast(images, tf.float32).numpy())
    return [Probe("serving_default", {"latents": latents}, {"images": levels}, rounding=1)]


def _make_pixels(image_shape: tuple[int, int, int]) -> np.ndarray:
    """Black, white, and noise of several contrasts between them, shape (8, *image_shape), uint8."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (_COUNT - 2, *image_shape))
    contrast = np.linspace(0.1, 1, _COUNT - 2).reshape(-1, 1, 1, 1)
    flat = np.stack([np.zeros(image_shape), np.ones(image_shape)])
    return np.rint(255 * np.concatenate([flat, 0.5 + contrast * noise])).astype(np.uint8)


def _score(scorer: ScoringModel, images: np.ndarray) -> dict[str, np.ndarray]:
    scores = _run(lambda: scorer(tf.constant(images), training=False))
    decisions = np.array([text.encode() for text in DECISIONS], object)
    return {
        "p_fake": scores["p_fake"].numpy(),
        "decision": decisions[scores["decision"].numpy()],
        "discriminator_logit": scores["discriminator_logit"].numpy(),
    }


def _run(function: Callable[[], Any]) -> Any:
    """Calls Keras as a server calls the SavedModel: as a graph, on the processor."""
    with tf.device("CPU:0"):
        return tf.function(function, autograph=False)()


def _append_error(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Adds the row of what is no image, of whose `error` only the signature knows the text."""
    return {
        "p_fake": np.append(rows["p_fake"], np.float32("nan")),
        "decision": np.append(rows["decision"], signatures.ERROR.encode()),
        "discriminator_logit": np.append(rows["discriminator_logit"], np.float32("nan")),
    }


def _distance(given: np.ndarray, wanted: np.ndarray) -> float:
    """Returns the largest difference; enormous where only one of two is a number."""
    scale = np.maximum(1, np.abs(wanted)) if wanted.dtype.kind == "f" else 1
    if (np.isnan(given) != np.isnan(wanted)).any():
        return float(np.finfo(np.float64).max)
    return float(np.nanmax(np.abs(given.astype(np.float64) - wanted) / scale))
