"""Report pages: parts that each command contributes, and the charts and pictures in them."""

from dcgan.report.page import Section
from dcgan.report.parts import Part, publish

__all__ = ["Part", "Section", "publish"]
