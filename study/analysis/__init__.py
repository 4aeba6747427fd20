"""Estimates with their uncertainty: of plain arrays in `statistics`, of tables of runs in the other rooms.

Nothing is imported here: a training reads a configuration, which names claims, and must not load what decides them.
"""
