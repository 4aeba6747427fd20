"""Estimates and their uncertainty: from plain arrays in `statistics`, from tables of runs elsewhere.

Nothing is imported here: a training reads a configuration, which names claims, and must not load what decides them.
"""
