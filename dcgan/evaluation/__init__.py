"""How good a run is: its samples measured against real images, and the report on that."""

from dcgan.evaluation.sample_evaluation import Report, evaluate

__all__ = ["Report", "evaluate"]
