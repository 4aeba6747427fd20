"""Data sets: read without copying, split by class, labels made noisy on request; fetched and verified by `fetch`."""

from study.data.digits import DATA_SETS, Digits, load
from study.data.idx import DataError
from study.data.splits import Split, split

__all__ = ["DATA_SETS", "DataError", "Digits", "Split", "load", "split"]
