"""What the commands share: consoles, progress, signals and quiet start-up."""
