"""What happens to images on their way: steps, random chains, and deliveries that have names."""
