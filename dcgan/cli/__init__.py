"""The command line; each subcommand imports what it needs when it runs."""

from dcgan.cli.app import main

__all__ = ["main"]
