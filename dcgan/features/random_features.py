"""A feature extractor that learned nothing, for data without labels."""

import functools

import keras
import numpy as np

from dcgan.features import feature_classifier
from dcgan.features.feature_extractor import RANDOM, FeatureExtractor
from dcgan.features.keras_features import KerasExtractor
from dcgan.metrics.embedding import Embedding

_SEED = 0


def load_random() -> FeatureExtractor:
    """Makes the extractor whose features are those of a classifier before any training.

    Random weights depend on no data, so that no kind of image is strange to them, as faces are to a
    classifier of digits. They see noise, blur, shifts and missing kinds of image, and figures of
    the same images compare. They know nothing of what an image shows: where a trained extractor fits,
    its figures agree better with people's.

    Returns:
        The extractor, for square images of 28 to 128 pixels with 1 or 3 channels. Its 64 features come
        from a network of the images' shape; the weights are the same on every machine.

    Reference:
        Naeem et al. (2020), Reliable Fidelity and Diversity Metrics for Generative Models, section
        on random embeddings, https://arxiv.org/abs/2002.09797
    """
    return FeatureExtractor(name=RANDOM, extract=_embed, digest=_extractor((28, 28, 1)).digest())


def _embed(images: np.ndarray) -> Embedding:
    return _extractor(images.shape[1:])(images)


@functools.lru_cache(maxsize=4)
def _extractor(image_shape: tuple[int, int, int]) -> KerasExtractor:
    # Of the two classes nothing is used; batch normalisation passes through what it never measured.
    classifier = feature_classifier.build_classifier(image_shape, 2, seed=_SEED)
    return KerasExtractor(keras.Model(classifier.inputs, classifier.get_layer("features").output))
