"""Folders of images: what is in them and how they divide into classes and splits."""
