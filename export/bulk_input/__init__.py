"""What bulk scoring reads: files by patterns, images in files."""
