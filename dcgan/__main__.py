"""Runs the command line as `python -m dcgan`."""

from dcgan.cli import main

main()
