"""The Keras model: `DCGAN`, and what it shares with the detector."""

from dcgan.model.gan import DCGAN

__all__ = ["DCGAN"]
