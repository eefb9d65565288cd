"""Random distortions that reals and fakes get alike before the discriminator sees them."""

from dcgan.augmentation.colors import distort_colors
from dcgan.augmentation.geometry import distort_geometry
from dcgan.augmentation.policies import POLICIES, diff_augment, parse_policy

__all__ = ["POLICIES", "diff_augment", "distort_colors", "distort_geometry", "parse_policy"]
