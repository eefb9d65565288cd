"""What happens to images on their way, one at a time or in chains, and the deliveries that have names."""
