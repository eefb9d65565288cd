"""The functions that a server calls, over one set of weights."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from dcgan.model import DCGAN
from export.graph import image_decoding, row_errors
from export.graph.scoring_model import ScoringModel

CLASSES = ("real", "fake")

_Outputs = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Servable:
    """What a SavedModel is made of.

    Attributes:
        weights: Everything that the signatures read.
        signatures: Concrete functions by the name that they are served under.
    """

    weights: list[tf.Variable]
    signatures: Mapping[str, Callable[..., _Outputs]]


def of_scoring_model(scorer: ScoringModel, *, max_pixels: int) -> Servable:
    """Makes the signatures of a detector or a discriminator.

    Args:
        scorer: What scores the images.
        max_pixels: Encoded images that announce more pixels are refused.
    """
    scoring = _Scoring(scorer, max_pixels=max_pixels)
    shape, texts = (None, *scorer.image_shape), (None,)
    specs = {
        "serving_default": (scoring.examples, tf.TensorSpec(texts, tf.string, "examples")),
        "predict_bytes": (scoring.contents, tf.TensorSpec(texts, tf.string, "image_bytes")),
        "predict_uint8": (scoring.pixels, tf.TensorSpec(shape, tf.uint8, "images")),
        "predict_images": (scoring.images, tf.TensorSpec(shape, tf.float32, "images")),
        "classify": (scoring.classes, tf.TensorSpec(texts, tf.string, "inputs")),
    }
    return _trace(scorer.weights, specs)


def of_generator(model: DCGAN) -> Servable:
    """Makes the signature of a generator: from `latents`, float32, to `images`, uint8.

    A conditional model's has `labels` as well, int64.

    Args:
        model: Its moving average draws if it has one.
    """
    generator = model.ema_generator or model.generator

    def draw(*inputs: tf.Tensor) -> _Outputs:
        images = tf.cast(generator(inputs if model.classes else inputs[0], training=False), tf.float32)
        levels = tf.clip_by_value(tf.round((images + 1.0) * 127.5), 0, 255)
        return {"images": tf.cast(levels, tf.uint8)}

    specs = [tf.TensorSpec((None, model.latent_dim), tf.float32, "latents")]
    if model.classes:
        specs.append(tf.TensorSpec((None,), tf.int64, "labels"))
    return _trace(generator.weights, {"serving_default": (draw, *specs)})


def _trace(weights: list, specs: Mapping[str, tuple[Any, ...]]) -> Servable:
    """Makes graphs of functions, whose arguments get the names of their specifications."""
    signatures = {
        name: tf.function(function, autograph=False, input_signature=own).get_concrete_function()
        for name, (function, *own) in specs.items()
    }
    return Servable([weight.value for weight in weights], signatures)


class _Scoring:
    """From each form of input to values for each image; what several forms share is traced once."""

    def __init__(self, scorer: ScoringModel, *, max_pixels: int) -> None:
        self._scorer = scorer
        self._max_pixels = max_pixels
        images = tf.TensorSpec((None, *scorer.image_shape), tf.float32)
        contents = tf.TensorSpec((None,), tf.string)
        self.images = tf.function(self._score_images, autograph=False, input_signature=[images])
        self.contents = tf.function(self._score_contents, autograph=False, input_signature=[contents])

    def pixels(self, images: tf.Tensor) -> _Outputs:
        """Scores uint8 images."""
        return self.images(tf.cast(images, tf.float32) / 127.5 - 1.0)

    def examples(self, examples: tf.Tensor) -> _Outputs:
        """Scores encoded images in serialized examples, as TFX sends them."""
        contents, error = image_decoding.parse_examples(examples)
        outputs = self.contents(contents)
        return row_errors.replace(outputs, tf.where(error == "", outputs["error"], error))

    def classes(self, inputs: tf.Tensor) -> _Outputs:
        """Scores what TF Serving's Classify sends, in the form that it expects."""
        p_fake = self.examples(inputs)["p_fake"]
        classes = tf.broadcast_to(tf.constant(CLASSES), (tf.size(p_fake), len(CLASSES)))
        return {"classes": classes, "scores": tf.stack([1.0 - p_fake, p_fake], axis=1)}

    def _score_images(self, images: tf.Tensor) -> _Outputs:
        """Scores images in -1 to 1; one that is beyond, or has no finite score, gets the reason."""
        reason = row_errors.of_pixels(images)
        is_good = reason[:, tf.newaxis, tf.newaxis, tf.newaxis] == 0
        scores = self._scorer(tf.where(is_good, images, 0.0), training=False)
        numbers = {name: value for name, value in scores.items() if name != "decision"}
        reason = row_errors.of_scores(reason, numbers)
        return row_errors.name(numbers, scores["decision"], reason)

    def _score_contents(self, contents: tf.Tensor) -> _Outputs:
        """Scores encoded images; one that cannot be decoded gets the reason."""
        pixels, error = image_decoding.decode(
            contents, image_shape=self._scorer.image_shape, max_pixels=self._max_pixels
        )
        outputs = self.pixels(pixels)
        return row_errors.replace(outputs, tf.where(error == "", outputs["error"], error))
