"""How an image's neighbouring pixels go together, as a network's input: correlations and spectrum."""

import keras
import numpy as np
import tensorflow as tf
from scipy import fft

from dcgan.detector.layers.image_statistics import ImageStatistic

_OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (2, 2), (0, 3), (3, 0))
_RINGS = 32
_SMALLEST = 1e-6
# About a grey level squared: below, a spectrum is rounding.
_FAINTEST = 1e-4


@keras.saving.register_keras_serializable(package="dcgan")
class Texture(ImageStatistic):
    """Measures how neighbouring pixels go together: autocorrelations, gradients, power spectrum.

    Up-samplers leave periodic traces and a spectrum of their own; optics, scanners and resampling
    decide how fast real images change from pixel to pixel. The spectrum is that of the discrete cosine
    transform: the logarithm of the power in rings of equal width around zero frequency.

    Reference:
        autocorrelation and spectrum of generated images:
        [Corvi et al., 2023](https://arxiv.org/abs/2304.06408);
        cosine transform: [Frank et al., 2020](https://arxiv.org/abs/2003.08685)
    """

    def measure(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Returns correlations, gradients and the spectrum: 47 numbers a channel."""
        return [*_correlations(images), *_gradients((1 + images) / 2), _spectrum(images)]


def _correlations(images: tf.Tensor) -> list[tf.Tensor]:
    """Returns how alike pixels at each offset are, -1 to 1, each of shape (batch, channels)."""
    centred = images - tf.reduce_mean(images, axis=(1, 2), keepdims=True)
    energy = tf.reduce_sum(centred**2, axis=(1, 2)) + _SMALLEST
    height, width = images.shape[1:3]
    found = []
    for down, across in _OFFSETS:
        left, right = max(0, -across), max(0, across)
        first = centred[:, : height - down, left : width - right]
        second = centred[:, down:, right : width - left]
        found.append(tf.reduce_sum(first * second, axis=(1, 2)) / energy)
    return found


def _gradients(images: tf.Tensor) -> list[tf.Tensor]:
    """Returns mean, energy and maximum of steps across and down, each of shape (batch, channels)."""
    mass = tf.reduce_sum(images, axis=(1, 2)) + _SMALLEST
    found = []
    for step in (images[:, :, 1:] - images[:, :, :-1], images[:, 1:] - images[:, :-1]):
        size = tf.abs(step)
        found.append(tf.reduce_sum(size, axis=(1, 2)) / mass)
        found.append(tf.reduce_sum(step**2, axis=(1, 2)) / mass)
        found.append(tf.reduce_max(size, axis=(1, 2)))
    return found


def _spectrum(images: tf.Tensor) -> tf.Tensor:
    """Returns the mean logarithm of the power in each ring, shape (batch, channels, rings)."""
    height, width, channels = images.shape[1:]
    waves = tf.einsum("uh,bhwc->bcuw", tf.constant(_cosines(height)), images)
    waves = tf.einsum("vw,bcuw->bcuv", tf.constant(_cosines(width)), waves)
    power = tf.math.log(waves**2 + _FAINTEST)
    return tf.reshape(power, (-1, channels, height * width)) @ tf.constant(_rings(height, width))


def _cosines(length: int) -> np.ndarray:
    """Returns the orthonormal cosine transform as a matrix, shape (frequencies, length)."""
    return fft.dct(np.eye(length), axis=0, norm="ortho").astype(np.float32)


def _rings(height: int, width: int) -> np.ndarray:
    """Returns the matrix that takes means over rings of frequencies, shape (height * width, rings)."""
    down = np.arange(height)[:, np.newaxis] / height
    distance = np.hypot(down, np.arange(width) / width) / np.sqrt(2)
    members = np.eye(_RINGS)[(distance * _RINGS).astype(int).ravel()]
    return (members / np.maximum(1, members.sum(axis=0))).astype(np.float32)
