"""What the numbers say, in print."""

TABLES = ("variants", "main_effects", "interactions", "ranking")
"""The tables of the paper by name, for planning, which needs no more; `study.report.tables` makes them."""
