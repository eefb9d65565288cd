"""Reports: commands store parts as data, and this room alone draws the page with its charts."""

from dcgan.report.parts import Part, draw, publish

__all__ = ["Part", "draw", "publish"]
