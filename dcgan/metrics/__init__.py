"""Metrics of generated images: pure NumPy in float64, on what a feature extractor returns."""

from dcgan.metrics.classes import class_divergence, class_shares, classifier_score, entropy
from dcgan.metrics.embedding import Embedding
from dcgan.metrics.frechet import frechet_distance
from dcgan.metrics.kid import kernel_inception_distance
from dcgan.metrics.moments import Moments
from dcgan.metrics.neighbors import Neighborhood, neighborhood
from dcgan.metrics.score import HIGHER_IS_BETTER, Score
from dcgan.metrics.suite import Real, evaluate_features, floor_values

__all__ = [
    "HIGHER_IS_BETTER",
    "Embedding",
    "Moments",
    "Neighborhood",
    "Real",
    "Score",
    "class_divergence",
    "class_shares",
    "classifier_score",
    "entropy",
    "evaluate_features",
    "floor_values",
    "frechet_distance",
    "kernel_inception_distance",
    "neighborhood",
]
