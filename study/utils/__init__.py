"""Helpers that know nothing of this study: timer, time limit, memory, imports."""
