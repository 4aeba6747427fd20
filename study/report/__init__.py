"""Reports: findings in words, tables and print."""

TABLES = ("variants", "main_effects", "interactions", "ranking")
"""The tables of the paper by name, for planning, which needs no more; `study.report.tables` makes them."""
