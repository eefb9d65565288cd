"""The detector: fakes of many kinds, a network that learns from them, and honest figures."""

from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_files import load, save
from dcgan.detector.detector_model import Detector
from dcgan.detector.evaluation.holdout_evaluation import evaluate
from dcgan.detector.evaluation.run_evaluation import evaluate_run
from dcgan.detector.fakes.fake_pool import FakePool, Fakes
from dcgan.detector.fakes.histogram_matching import match_histograms
from dcgan.detector.fitting import Fitted, fit, fit_run
from dcgan.detector.reals import Reals
from dcgan.detector.recalibration import recalibrate_run
from dcgan.detector.saliency import heat_maps, overlay
from dcgan.detector.threshold import Calibration

__all__ = [
    "Calibration",
    "Detector",
    "DetectorConfig",
    "FakePool",
    "Fakes",
    "Fitted",
    "Reals",
    "evaluate",
    "evaluate_run",
    "fit",
    "fit_run",
    "heat_maps",
    "load",
    "match_histograms",
    "overlay",
    "recalibrate_run",
    "save",
]
