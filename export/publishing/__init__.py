"""Candidates and live versions: numbered directories that appear whole or not at all."""
