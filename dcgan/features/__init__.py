"""Judges: feature extractors, among them a classifier of digits that comes with the package."""

from dcgan.features.feature_extractor import Judge
from dcgan.features.feature_files import load, save
from dcgan.features.feature_training import fit_judge
from dcgan.features.labelled_features import fit_file
from dcgan.features.reference import Reference
from dcgan.features.selection import for_data, for_run

__all__ = ["Judge", "Reference", "fit_file", "fit_judge", "for_data", "for_run", "load", "save"]
