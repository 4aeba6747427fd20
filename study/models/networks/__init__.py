"""The modules that the models build; apart from them, so that reading a configuration does not load torch."""
