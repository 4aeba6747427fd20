"""Estimates with their uncertainty: plain arrays in `statistics`, tables of runs in `comparisons` and `ranking`."""

from study.analysis.comparisons import METRICS, compare, summarise
from study.analysis.ranking import rank

__all__ = ["METRICS", "compare", "rank", "summarise"]
