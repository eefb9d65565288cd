"""Metrics of generated images: pure NumPy in float64, on features that a judge extracts."""

from dcgan.metrics.classes import class_divergence, class_shares, classifier_score, entropy
from dcgan.metrics.embedding import Embedding
from dcgan.metrics.evaluation import evaluate_features
from dcgan.metrics.frechet import frechet_distance
from dcgan.metrics.judges.judge import Judge
from dcgan.metrics.kernel import kernel_distance
from dcgan.metrics.moments import Moments
from dcgan.metrics.neighbors import Neighborhood, neighborhood
from dcgan.metrics.reference import Reference
from dcgan.metrics.score import HIGHER_IS_BETTER, Score

__all__ = [
    "HIGHER_IS_BETTER",
    "Embedding",
    "Judge",
    "Moments",
    "Neighborhood",
    "Reference",
    "Score",
    "class_divergence",
    "class_shares",
    "classifier_score",
    "entropy",
    "evaluate_features",
    "frechet_distance",
    "kernel_distance",
    "neighborhood",
]
