"""A feature extractor that learned nothing, for data without labels."""

import functools

import keras
import numpy as np

from dcgan.features import feature_classifier
from dcgan.features.feature_extractor import FeatureExtractor
from dcgan.features.keras_extractor import KerasExtractor
from dcgan.metrics.embedding import Embedding

NAME = "random"
_SEED = 0


def load_random() -> FeatureExtractor:
    """Makes the extractor whose features are those of a classifier before any training.

    Random weights fit every kind of image, as a classifier of digits does not fit faces. They see
    noise, blur, shifts and missing kinds of image, but nothing of what an image shows: where a trained
    extractor fits, its scores agree better with people's.

    Returns:
        The extractor, for square images of 16 to 256 pixels with 1 or 3 channels. Its 64 features come
        from a network of the images' shape; the weights are the same on every machine.

    Reference:
        Naeem et al. (2020), Reliable Fidelity and Diversity Metrics for Generative Models, section
        on random embeddings, https://arxiv.org/abs/2002.09797
    """
    return FeatureExtractor(name=NAME, extract=_embed, digest=_extractor((28, 28, 1)).digest())


def _embed(images: np.ndarray) -> Embedding:
    return _extractor(images.shape[1:])(images)


@functools.lru_cache(maxsize=4)
def _extractor(image_shape: tuple[int, int, int]) -> KerasExtractor:
    # The two classes are not used, and batch normalization that never measured passes through.
    classifier = feature_classifier.build_classifier(image_shape, 2, seed=_SEED)
    return KerasExtractor(keras.Model(classifier.inputs, classifier.get_layer("features").output))
