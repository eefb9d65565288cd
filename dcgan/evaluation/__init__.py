"""How good a run is: figures and pictures of its samples."""

from dcgan.evaluation.sample_evaluation import Report, evaluate

__all__ = ["Report", "evaluate"]
