"""Keras callbacks for any model with `generate(count, *, seed, latents)` and `latent_dim`."""

from dcgan.callbacks.checkpoint import RunCheckpoint
from dcgan.callbacks.fake_replay import FakeReplay
from dcgan.callbacks.image_grid import ImageGrid
from dcgan.callbacks.interpolation import InterpolationStrip, slerp
from dcgan.callbacks.metrics_log import MetricsLog
from dcgan.callbacks.progress_gif import ProgressGif
from dcgan.callbacks.sample_distance import SampleDistance
from dcgan.callbacks.tensorboard_images import TensorBoardImages
from dcgan.callbacks.training_guard import TrainingGuard, sample_variety

__all__ = [
    "FakeReplay",
    "ImageGrid",
    "InterpolationStrip",
    "MetricsLog",
    "ProgressGif",
    "RunCheckpoint",
    "SampleDistance",
    "TensorBoardImages",
    "TrainingGuard",
    "sample_variety",
    "slerp",
]
