"""Configuration: a YAML file becomes a frozen, checked study and its grid of variants."""
