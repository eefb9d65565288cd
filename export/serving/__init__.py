"""What TF Serving is configured with, and what it is warmed up by."""
