"""Whether a candidate may go live: it loads, answers, agrees with Keras, meets its thresholds."""
