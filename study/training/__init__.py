"""Training of many seeds of a variant at once, and the records of it."""
