"""The fakes that a detector learns from, and those that it is tested on."""
