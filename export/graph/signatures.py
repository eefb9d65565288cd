"""The functions that a server calls, over one set of weights."""

import dataclasses
import types
from collections.abc import Callable, Mapping

import tensorflow as tf

from dcgan.model import DCGAN
from dcgan.scoring import DECISIONS
from export.graph import decoding
from export.graph.scoring_model import ScoringModel

ERROR = "error"
CLASSES = ("real", "fake")

_Outputs = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Servable:
    """What a SavedModel is made of.

    Attributes:
        weights: All that the signatures read.
        signatures: Concrete functions by the name that they are served under.
    """

    weights: list[tf.Variable]
    signatures: Mapping[str, Callable[..., _Outputs]]

    def as_module(self) -> tf.Module:
        """Returns an object that holds the weights, once, and nothing of Keras."""
        module = tf.Module()
        module.weights = self.weights
        return module


def of_scoring_model(scorer: ScoringModel, *, max_pixels: int) -> Servable:
    """Makes the signatures of a detector or a discriminator.

    Args:
        scorer: What scores the images.
        max_pixels: An encoded image that announces more is refused.
    """
    scoring = _Scoring(scorer, max_pixels=max_pixels)
    shape = (None, *scorer.image_shape)
    texts = (None,)
    specs = {
        "serving_default": (scoring.examples, tf.TensorSpec(texts, tf.string, "examples")),
        "predict_bytes": (scoring.contents, tf.TensorSpec(texts, tf.string, "image_bytes")),
        "predict_uint8": (scoring.pixels, tf.TensorSpec(shape, tf.uint8, "images")),
        "predict_images": (scoring.images, tf.TensorSpec(shape, tf.float32, "images")),
        "classify": (scoring.classes, tf.TensorSpec(texts, tf.string, "inputs")),
    }
    return _trace(scorer.weights, specs)


def of_generator(model: DCGAN) -> Servable:
    """Makes the signature of a generator: `latents`, float32, to `images`, uint8.

    Args:
        model: Its moving average is taken where it has one.
    """
    generator = model.ema_generator or model.generator

    def draw(latents: tf.Tensor) -> _Outputs:
        images = tf.cast(generator(latents, training=False), tf.float32)
        levels = tf.clip_by_value(tf.round((images + 1.0) * 127.5), 0, 255)
        return {"images": tf.cast(levels, tf.uint8)}

    spec = tf.TensorSpec((None, model.latent_dim), tf.float32, "latents")
    return _trace(generator.weights, {"serving_default": (draw, spec)})


def _trace(
    weights: list, specs: Mapping[str, tuple[Callable[..., _Outputs], tf.TensorSpec]]
) -> Servable:
    """Makes graphs of functions, whose single argument gets the name of its specification."""
    signatures = {}
    for name, (function, spec) in specs.items():
        traced = tf.function(function, autograph=False, input_signature=[spec])
        signatures[name] = traced.get_concrete_function()
    return Servable([weight.value for weight in weights], types.MappingProxyType(signatures))


class _Scoring:
    """From each form of input to a row of values an image; what several share is traced once."""

    def __init__(self, scorer: ScoringModel, *, max_pixels: int) -> None:
        self._scorer = scorer
        self._max_pixels = max_pixels
        images = tf.TensorSpec((None, *scorer.image_shape), tf.float32)
        contents = tf.TensorSpec((None,), tf.string)
        self._score = tf.function(self._score_images, autograph=False, input_signature=[images])
        self._read = tf.function(self._score_contents, autograph=False, input_signature=[contents])

    def images(self, images: tf.Tensor) -> _Outputs:
        """Scores float images."""
        return self._score(images)

    def pixels(self, images: tf.Tensor) -> _Outputs:
        """Scores uint8 images."""
        return self._score(tf.cast(images, tf.float32) / 127.5 - 1.0)

    def contents(self, image_bytes: tf.Tensor) -> _Outputs:
        """Scores encoded images; what cannot be decoded gets a row that says why."""
        return self._read(image_bytes)

    def examples(self, examples: tf.Tensor) -> _Outputs:
        """Scores encoded images in serialized examples, as TFX sends them."""
        contents, error = decoding.parse_examples(examples)
        outputs = self._read(contents)
        return outputs | {"error": tf.where(error == "", outputs["error"], error)}

    def classes(self, inputs: tf.Tensor) -> _Outputs:
        """Scores what TF Serving's Classify sends, in the form that it expects."""
        p_fake = self.examples(inputs)["p_fake"]
        classes = tf.broadcast_to(tf.constant(CLASSES), (tf.size(p_fake), len(CLASSES)))
        return {"classes": classes, "scores": tf.stack([1.0 - p_fake, p_fake], axis=1)}

    def _score_images(self, images: tf.Tensor) -> _Outputs:
        scores = self._scorer(images, training=False)
        decision = tf.gather(tf.constant(DECISIONS), tf.cast(scores["decision"], tf.int32))
        return {
            "p_fake": scores["p_fake"],
            "decision": decision,
            "discriminator_logit": scores["discriminator_logit"],
        }

    def _score_contents(self, contents: tf.Tensor) -> _Outputs:
        pixels, error = decoding.decode(
            contents, image_shape=self._scorer.image_shape, max_pixels=self._max_pixels
        )
        return _mark(self.pixels(pixels), error)


def _mark(outputs: _Outputs, error: tf.Tensor) -> _Outputs:
    is_good = error == ""
    nothing = tf.constant(float("nan"))
    return {
        "p_fake": tf.where(is_good, outputs["p_fake"], nothing),
        "decision": tf.where(is_good, outputs["decision"], ERROR),
        "discriminator_logit": tf.where(is_good, outputs["discriminator_logit"], nothing),
        "error": error,
    }
