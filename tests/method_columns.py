"""The columns of methods and strengths for tables that are made up from labels."""

import math
import re

import pandas as pd

from study.methods.labels import method_of


def strength(label: str) -> float:
    """The first number among a label's parameters; NaN where there is none."""
    found = re.search(r"[(=]([0-9.e+-]+)[,)]", label)
    return float(found[1]) if found else math.nan


def with_methods(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with the columns that a record writes from its variant."""
    labels = {kind: runs[kind].astype(str) for kind in ("clip", "regularization")}
    columns = {f"{kind}_method": own.map(method_of) for kind, own in labels.items()}
    return runs.assign(**columns, **{f"{kind}_strength": own.map(strength) for kind, own in labels.items()})
