"""Reports: commands store parts as data, and this room alone draws the page with its charts."""

from dcgan.report.part import Part
from dcgan.report.parts import draw, publish

__all__ = ["Part", "draw", "publish"]
