"""Estimates with their uncertainty: plain arrays in `statistics`, tables of runs in `comparisons`."""

from study.analysis.comparisons import METRICS, compare, summarise

__all__ = ["METRICS", "compare", "summarise"]
