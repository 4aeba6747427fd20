"""Questions on penalties: zeros by L1, and dropout together with L2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from study.analysis.questions.differences import Case, differences
from study.analysis.questions.numbers import Number
from study.analysis.questions.strengths import best_label
from study.methods.labels import NONE, Cell
from study.results.cells import select
from study.results.store import Tables

PROXIMAL, SUBGRADIENT = "l1_proximal", "l1"
EQUAL, BEST = "equal strength", "best strength"
MEANS = ("weight_zero", "weight_small", "test_accuracy")
OWN_STRENGTHS, BASELINE_STRENGTHS = "strengths", "strengths of the baseline"
CRITERIA = ("validation_accuracy", "validation_loss")


def l1_zeros(tables: Tables) -> Iterator[Number]:
    """Compare zeros, small weights and test accuracy of L1 by subgradient and by proximal steps, without a clip."""
    runs = tables["runs"]
    l1 = runs[(runs["clip"] == NONE) & runs["regularization_method"].isin([PROXIMAL, SUBGRADIENT])]
    groups = l1.groupby(["regime", "regularization"], sort=False)
    for at, ((regime, label), own) in enumerate(groups):
        cell, method = Cell(str(regime), regularization=str(label)), str(own["regularization_method"].iloc[0])
        for column in MEANS:
            yield Number(f"mean {column}", "share", float(own[column].mean()), n=len(own), item=at, own=cell,
                         method=method)  # fmt: skip
    found = list(_l1_cases(tables, l1))
    start = len(groups)
    for one in differences(runs, [case for case, _ in found]):
        yield one if one.item is None else replace(one, item=one.item + start)
    for at, (case, sizes) in enumerate(found, start):
        for metric, size in zip((OWN_STRENGTHS, BASELINE_STRENGTHS), sizes, strict=False):
            yield Number(metric, n=size, part=case.part, item=at, own=case.own, baseline=case.baseline)


def _l1_cases(tables: Tables, l1: pd.DataFrame) -> Iterator[tuple[Case, tuple[int, ...]]]:
    """Yield cases of proximal steps less the subgradient, at equal strengths and at the best of each."""
    for regime, part in l1.groupby("regime", sort=False):
        for one, other in _equal(part):
            yield Case(Cell(str(regime), regularization=one), Cell(str(regime), regularization=other), EQUAL), ()
    for regime, part in l1.groupby("regime", sort=False):
        pool = _same_training(tables, str(regime))
        forms = [_labels(pool, [form]) for form in (PROXIMAL, SUBGRADIENT)]
        picks = [best_label(pool, labels, "validation_accuracy") for labels in forms]
        if all(picks) and (part["regularization_method"] == PROXIMAL).any():
            cells = [_first(pool, pick) for pick in picks]
            yield Case(cells[0], cells[1], BEST, setting=str(regime)), tuple(map(len, forms))


def _equal(part: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the labels of both forms with the same parameters, sorted."""
    labels = set(part["regularization"])
    both = [(label, label.replace(PROXIMAL, SUBGRADIENT)) for label in sorted(labels)]
    return [(label, other) for label, other in both if label != other and other in labels]


def _labels(pool: pd.DataFrame, methods: list[str]) -> list[str]:
    return list(pool.loc[pool["regularization_method"].isin(methods), "regularization"].unique())


def _first(pool: pd.DataFrame, label: str) -> Cell:
    """Return the cell of a label in the first regime that has it."""
    return Cell(str(pool.loc[pool["regularization"] == label, "regime"].iloc[0]), regularization=label)


def dropout_with_l2(tables: Tables) -> Iterator[Number]:
    """Compare dropout and L2 together with the best strength of either alone in the same training."""
    found = list(_together(tables))
    yield from differences(tables["runs"], [case for case, _ in found])
    for at, (case, size) in enumerate(found):
        yield Number(BASELINE_STRENGTHS, n=size, by=case.by, item=at, own=case.own, baseline=case.baseline)


def _together(tables: Tables) -> Iterator[tuple[Case, int]]:
    runs = tables["runs"]
    both = runs[(runs["clip"] == NONE) & runs["regularization_method"].isin(["dropout + l2", "l2 + dropout"])]
    for (regime, label), _ in both.groupby(["regime", "regularization"], sort=False):
        pool = _same_training(tables, str(regime))
        alone = _labels(pool, ["dropout", "l2"])
        for column in CRITERIA:
            if best := best_label(pool, alone, column):
                case = Case(Cell(str(regime), regularization=str(label)), _first(pool, best), by=column)
                yield case, len(alone)


def _same_training(tables: Tables, regime: str) -> pd.DataFrame:
    """Return the runs without a clip of a regime and of those that are the same training."""
    runs = tables["runs"]
    return runs[(runs["clip"] == NONE) & runs["regime"].isin(twins(tables, regime))]


def twins(tables: Tables, regime: str) -> list[str]:
    """Return the regimes that are the same training: equal baseline numbers in every seed."""
    runs = tables["runs"]
    own = _numbers(select(runs, Cell(regime)))
    found = [str(other) for other in runs["regime"].unique() if other != regime]
    same = [one for one in found if not own.empty and own.equals(_numbers(select(runs, Cell(one))))]
    return [regime, *same]


def _numbers(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.set_index("seed")[["test_accuracy", "test_loss"]].astype(float).sort_index()
