"""The TensorFlow graph of an export: decoding, scoring, signatures."""
