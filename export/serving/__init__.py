"""What TF Serving starts with: its configuration, and the requests that warm a model up."""
