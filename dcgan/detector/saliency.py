"""Where in an image a detector sees that it was generated.

Reference:
    in grey: [Smilkov et al., 2017](https://arxiv.org/abs/1706.03825), SmoothGrad
"""

import matplotlib
import numpy as np
import tensorflow as tf

from dcgan import images as pixels
from dcgan.detector.detector_model import Detector
from dcgan.detector.start import colour_classifier

_DRAWS = 64
_NOISE = 0.15
_SMALLEST = 224


def heat_maps(detector: Detector, images: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Measures how strongly each pixel's neighbourhood bears on the decision.

    In colour, a map is the evidence for a fake at each place, whose mean decides. In grey, it is the
    magnitude of the logit's gradient with respect to the pixels, averaged over copies with a little
    noise, summed over the channels and smoothed.

    Args:
        detector: The detector.
        images: Shape (count, height, width, channels), uint8.
        seed: Seed of the noise. Defaults to 0.

    Returns:
        Shape (count, height, width), float32, 0 to 1; each image's largest value is 1, or all are 0.

    Example:
        >>> detector = dcgan.detector.load("runs/mnist/detector.keras")
        >>> dcgan.detector.heat_maps(detector, images[:4]).shape
        (4, 28, 28)
    """
    if not len(images):
        return np.empty((0, *images.shape[1:3]), np.float32)
    if colour_classifier.has_start(detector.classifier):
        return _evidence(detector, images)
    return np.stack([_heat_map(detector, image, seed=seed) for image in images])


def overlay(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Lays a heat map over its image and enlarges both to at least 224 pixels a side.

    Args:
        image: Shape (height, width, 1 or 3), uint8.
        heat: Shape (height, width), float, 0 to 1.

    Returns:
        The image, and beside it the image under its heat map, shape (height, 2 * width, 3), uint8.

    Example:
        >>> heat = np.linspace(0, 1, 28 * 28).reshape(28, 28)
        >>> dcgan.detector.overlay(images[0], heat).shape
        (224, 448, 3)
    """
    factor = -(-_SMALLEST // image.shape[0])
    plain = np.broadcast_to(image, (*image.shape[:2], 3)).astype(np.float32)
    colours = matplotlib.colormaps["inferno"](heat)[..., :3] * 255
    strength = 0.75 * heat[..., np.newaxis]
    mixed = (1 - strength) * plain + strength * colours
    both = np.concatenate([plain, mixed], axis=1)
    return pixels.enlarge(np.rint(both).astype(np.uint8), factor)


def _evidence(detector: Detector, images: np.ndarray) -> np.ndarray:
    maps = colour_classifier.evidence_maps(detector.classifier, images)[..., np.newaxis]
    heat = tf.image.resize(maps, images.shape[1:3])[..., 0].numpy()
    heat -= heat.min(axis=(1, 2), keepdims=True)
    return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-6)


def _heat_map(detector: Detector, image: np.ndarray, *, seed: int) -> np.ndarray:
    exact = tf.constant(pixels.to_float(image))[tf.newaxis]
    noise = tf.random.stateless_normal((_DRAWS, *image.shape), [seed, 0])
    copies = exact + _NOISE * noise
    with tf.GradientTape() as tape:
        tape.watch(copies)
        logits = detector.logits(copies)
    # Each copy counts the same: a single gradient is huge where a statistic leaves a narrow bin.
    gradient = tf.math.l2_normalize(tape.gradient(logits, copies), axis=(1, 2, 3))
    heat = tf.reduce_mean(tf.reduce_sum(tf.abs(gradient), axis=-1, keepdims=True), axis=0, keepdims=True)
    heat = tf.nn.avg_pool2d(heat, 3, 1, "SAME")[0, ..., 0].numpy()
    return heat / heat.max() if heat.max() > 0 else heat
