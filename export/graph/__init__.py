"""What a server runs: image decoding, scoring and the signatures, as one TensorFlow graph."""
