"""Data sets: fetched and verified, read without copying, split by class, labels made noisy on request."""

from study.data.digits import DATA_SETS, Digits, load
from study.data.fetch import DOWNLOADS, fetch
from study.data.idx import DataError
from study.data.splits import Split, split

__all__ = ["DATA_SETS", "DOWNLOADS", "DataError", "Digits", "Split", "fetch", "load", "split"]
