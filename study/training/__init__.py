"""The training of many seeds of a variant at once, and what is recorded of it."""
