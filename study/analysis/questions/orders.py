"""Order and norm of a clip: before or after decay, per tensor or of the whole gradient."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from study.analysis.questions.differences import Case, differences
from study.analysis.questions.numbers import Number
from study.analysis.questions.strengths import best_label
from study.analysis.questions.tuned import BOTH_WAYS, case_of, tuning_of
from study.methods.labels import NONE, Cell
from study.results.store import Tables

CLIPPED, FREE = "with a clip", "without a clip"
FORMS = ("l2", "weight_decay")  # in the loss, and after the clip


def before_or_after(tables: Tables) -> Iterator[Number]:
    """Compare a penalty in the loss, clipped with the gradient, with the same as weight decay after the clip."""
    groups = tables["runs"].groupby(["regime", "clip"], sort=False)
    cases = (
        Case(Cell(str(regime), str(clip), one), Cell(str(regime), str(clip), other), FREE if clip == NONE else CLIPPED)
        for (regime, clip), part in groups
        for one, other in _pairs(part)
    )
    return differences(tables["runs"], cases)


def _pairs(part: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the labels of both forms at equal strength, and at the best of each if one has several."""
    methods = part["regularization_method"]
    before, after = ([str(one) for one in part.loc[methods == form, "regularization"].unique()] for form in FORMS)
    pairs = [(one, other) for one in before for other in after if _parameters(one) == _parameters(other)]
    if before and after and len(before) + len(after) > 2:
        best = (best_label(part, before, "validation_loss"), best_label(part, after, "validation_loss"))
        if all(best) and best not in pairs:
            pairs.append(best)
    return pairs


def _parameters(label: str) -> str:
    return label.partition("(")[2]


def per_tensor(tables: Tables) -> Iterator[Number]:
    """Compare clipping by each tensor's norm with that of the whole gradient, at the best strengths of both."""
    tuning = tuning_of(tables)
    cases = (
        case_of(tensor, whole, by=by)
        for _, part in tuning[tuning["kind"] == "clip"].groupby("setting", sort=False)
        if {"layer_norm", "global_norm"} <= set(part["method"])
        for by in BOTH_WAYS
        for tensor, whole in [[_pick(part, method, by) for method in ("layer_norm", "global_norm")]]
    )
    return differences(tables["runs"], cases)


def _pick(part: pd.DataFrame, method: str, by: str) -> pd.Series:
    return part[(part["method"] == method) & part[by].astype(bool)].iloc[0]
