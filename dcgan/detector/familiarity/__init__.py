"""Whether an image is of the kind that a detector was made for."""
