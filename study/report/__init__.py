"""What the numbers say, in print."""
