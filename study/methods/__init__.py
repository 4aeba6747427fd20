"""Methods chosen in a configuration by name: families and their registries, labels, laws, users' own files."""
