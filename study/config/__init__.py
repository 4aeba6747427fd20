"""From a YAML file to a frozen, checked study and its grid of variants."""
