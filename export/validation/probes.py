"""Requests with known answers: what a served model is asked, and what Keras answers."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from dcgan.images import to_uint8
from dcgan.model import DCGAN
from dcgan.scoring import DECISIONS, ERROR
from export import tf_examples
from export.graph import row_errors, signatures
from export.graph.scoring_model import ScoringModel

_COUNT = 8
_JUNK = b"no image"


@dataclasses.dataclass(frozen=True, eq=False)
class Probe:
    """One request.

    Attributes:
        signature: What is called.
        inputs: Arrays by name.
        expected: The outputs that Keras gives, arrays by name.
        rounding: How far numbers may be off because they are rounded. Defaults to 0.
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
            answer: An answer in which `find_break` finds nothing.
            tolerance: How far numbers may be off; numbers beyond 1, in proportion to their size.

        Returns:
            The largest difference, and a line for each output that is further off than the tolerance.
        """
        largest, reasons = 0.0, []
        for name, wanted in self.expected.items():
            if wanted.dtype == object:
                if wrong := int(np.sum(answer[name] != wanted)):
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
    examples = np.array([tf_examples.make(content) for content in contents], object)
    with_junk = _with_error(rows)
    # Only graphs know the texts of `error`.
    beyond = np.append(images, np.full((1, *scorer.image_shape), np.nan, np.float32), axis=0)
    p_fake = with_junk["p_fake"]
    classes = np.array([text.encode() for text in signatures.CLASSES], object)
    classified = {
        "classes": np.tile(classes, (len(p_fake), 1)),
        "scores": np.stack([1 - p_fake, p_fake], axis=1),
    }
    return [
        Probe("predict_images", {"images": beyond}, with_junk),
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
    inputs: dict[str, np.ndarray] = {"latents": latents}
    if model.classes:
        inputs["labels"] = np.arange(_COUNT, dtype=np.int64) % model.classes
    generator = model.ema_generator or model.generator
    tensors = [*map(tf.constant, inputs.values())]
    images = _run(lambda: generator(tensors if model.classes else tensors[0], training=False))
    levels = to_uint8(tf.cast(images, tf.float32).numpy())
    return [Probe("serving_default", inputs, {"images": levels}, rounding=1)]


def _make_pixels(image_shape: tuple[int, int, int]) -> np.ndarray:
    """Returns black, white and noise of several contrasts, shape (8, *image_shape), uint8."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (_COUNT - 2, *image_shape))
    contrast = np.linspace(0.1, 1, _COUNT - 2).reshape(-1, 1, 1, 1)
    flat = np.stack([np.zeros(image_shape), np.ones(image_shape)])
    return np.rint(255 * np.concatenate([flat, 0.5 + contrast * noise])).astype(np.uint8)


def _score(scorer: ScoringModel, images: np.ndarray) -> dict[str, np.ndarray]:
    scores = _run(lambda: scorer(tf.constant(images), training=False))
    decisions = np.array([text.encode() for text in DECISIONS], object)
    numbers = {name: values.numpy() for name, values in scores.items()}
    return numbers | {"decision": decisions[numbers["decision"]]}


def _with_error(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Adds the row of an image without a score."""
    values = {**row_errors.VALUES, "decision": ERROR.encode()}
    return {
        name: np.append(column, np.array([values[name]], column.dtype)) for name, column in rows.items()
    }


def _run(function: Callable[[], Any]) -> Any:
    """Calls Keras as a server calls the SavedModel: as a graph, on the processor."""
    with tf.device("CPU:0"):
        return tf.function(function, autograph=False)()


def _distance(given: np.ndarray, wanted: np.ndarray) -> float:
    """Returns the largest difference; enormous where only one of the two is a number."""
    scale = np.maximum(1, np.abs(wanted)) if wanted.dtype.kind == "f" else 1
    if (np.isnan(given) != np.isnan(wanted)).any():
        return float(np.finfo(np.float64).max)
    return float(np.nanmax(np.abs(given.astype(np.float64) - wanted) / scale))
