"""Sources of images: arrays, files, folders and named data sets."""
