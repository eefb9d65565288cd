"""What happens to images on their way: single steps, random chains, and the deliveries that have names."""
