"""The start of colour detectors: a network that has seen the fakes of many generators."""

from dcgan.detector.start.start_files import load_start, read_card, save_start
from dcgan.detector.start.start_network import build_start_network

__all__ = ["build_start_network", "load_start", "read_card", "save_start"]
