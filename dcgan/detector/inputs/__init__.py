"""What a detector is fitted from: reals, and what its run provides."""
