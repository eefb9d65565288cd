"""Feature extractors, among them a classifier of digits that comes with the package."""

from dcgan.features.feature_extractor import FeatureExtractor
from dcgan.features.feature_training import fit_extractor, fit_extractor_file
from dcgan.features.loading import load, save
from dcgan.features.reference import Reference
from dcgan.features.run_features import for_data, for_run

__all__ = [
    "FeatureExtractor",
    "Reference",
    "fit_extractor",
    "fit_extractor_file",
    "for_data",
    "for_run",
    "load",
    "save",
]
