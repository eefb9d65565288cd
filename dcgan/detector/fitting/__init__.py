"""From fakes to a calibrated detector: training, then how held-back images score."""
