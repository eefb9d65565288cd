"""The networks and layers that a detector is built from."""
