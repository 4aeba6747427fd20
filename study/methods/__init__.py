"""Methods chosen by name in a configuration: families and their registries, labels, laws, users' own files."""
