"""The process and its surroundings: files, texts, seeds and settings of the environment."""
