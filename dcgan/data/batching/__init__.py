"""Images as batches: shuffled, normalised, without end."""
