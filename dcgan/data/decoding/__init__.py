"""Encoded images, one at a time: formats, decoding, orientation and bounds on memory."""
