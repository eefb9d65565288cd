"""The detector: fakes of many kinds, a network that learns from them, a threshold, an evaluation."""

from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_files import Fitted, load, load_fitted, save
from dcgan.detector.detector_model import Detector
from dcgan.detector.evaluation.holdout_evaluation import evaluate
from dcgan.detector.evaluation.run_evaluation import evaluate_run
from dcgan.detector.fakes.fake_pool import FakePool, Fakes
from dcgan.detector.fakes.histogram_matching import match_histograms
from dcgan.detector.fitting.detector_fitting import fit
from dcgan.detector.inputs.reals import Reals
from dcgan.detector.inputs.run_inputs import RunInputs
from dcgan.detector.run_fitting import fit_run, recalibrate_run
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
    "RunInputs",
    "evaluate",
    "evaluate_run",
    "fit",
    "fit_run",
    "heat_maps",
    "load",
    "load_fitted",
    "match_histograms",
    "overlay",
    "recalibrate_run",
    "save",
]
