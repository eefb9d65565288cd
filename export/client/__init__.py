"""Scores images on a server that speaks TF Serving's protocols."""

from dcgan.errors import ServerError
from export.client.client import Client

__all__ = ["Client", "ServerError"]
