"""The open challenge: a method of one's own, ranked among those of the frozen benchmark, as an entry to verify."""
