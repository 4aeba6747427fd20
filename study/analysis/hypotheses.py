"""Verdicts on hypotheses: each a difference of two cells in some workloads, decided like a gain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from study.analysis.gains import Verdict, gain_between, margin_of, verdict_of
from study.analysis.statistics import holm
from study.config.hypotheses import Hypothesis, Methods
from study.config.study import Study
from study.results.cells import failed

HYPOTHESES = (
    "study", "hypothesis", "statement", "claim", "regime", "clip", "regularization", "against_clip",
    "against_regularization", "metric", "margin", "n", "n_undefined", "mean", "against_mean", "gain", "sd", "low",
    "high", "p_gain", "p_harm", "p_less", "p_gain_adjusted", "p_harm_adjusted", "p_less_adjusted", "verdict", "of_all",
)  # fmt: skip
"""The columns of `hypotheses`: a row for each hypothesis and workload.

gain: the mean over seeds of how much better the cell is than the one it is held against, with its 95 % BCa interval; p
values as in `gains`, adjusted by Holm's method over all rows of the study; verdict: of the row; of_all: of the
hypothesis, over its rows.
"""


def hypotheses(runs: pd.DataFrame, study: Study, seed: int) -> pd.DataFrame:
    """Return every hypothesis in every workload that it names, columns `HYPOTHESES`; `seed` makes draws repeatable."""
    scored = runs.assign(failed=failed(runs).astype(float))
    workloads = {str(name): part for name, part in scored.groupby("regime", sort=False)}
    rows = [
        row
        for name, one in study.hypotheses.items()
        for regime in one.workloads
        for row in _row(name, one, regime, workloads, study, seed)
    ]
    table = pd.DataFrame(rows, columns=list(HYPOTHESES))
    for key in ("p_gain", "p_harm", "p_less"):
        table[f"{key}_adjusted"] = holm(table[key].to_numpy(float))
    table["verdict"] = [verdict_of(row) for row in table.to_dict("records")]
    table["of_all"] = table.groupby("hypothesis", sort=False)["verdict"].transform(lambda own: of_all(list(own)))
    return table


def of_all(verdicts: list[Verdict]) -> Verdict:
    """Return the verdict of a hypothesis: harm if any workload shows it, else the verdict common to all workloads."""
    if "harm" in verdicts:
        return "harm"
    return verdicts[0] if len(set(verdicts)) == 1 else "undecided"


def _row(
    name: str, one: Hypothesis, regime: str, workloads: Mapping[str, pd.DataFrame], study: Study, seed: int
) -> Iterator[dict[str, object]]:
    runs = workloads.get(regime, pd.DataFrame(columns=["clip", "regularization"]))
    cells = {(str(a), str(b)): part for (a, b), part in runs.groupby(["clip", "regularization"], sort=False)}
    sides = [_side(methods, cells) for methods in (one, one.against)]
    if any(side is None for side in sides):
        return  # of a study that is not finished
    (own, labels), (other, against) = (side for side in sides if side is not None)
    margin = margin_of(one.metric, study)
    yield {
        "study": study.name,
        "hypothesis": name,
        "statement": one.says,
        "claim": one.claim,
        "regime": regime,
        "clip": labels[0],
        "regularization": labels[1],
        "against_clip": against[0],
        "against_regularization": against[1],
        "metric": one.metric,
        "margin": margin,
        "mean": float(own[one.metric].mean()),
        "against_mean": float(other[one.metric].mean()),
        **gain_between(own, other, one.metric, margin, ("hypothesis", name, regime), seed),
    }


def _side(
    methods: Methods, cells: Mapping[tuple[str, str], pd.DataFrame]
) -> tuple[pd.DataFrame, tuple[str, str]] | None:
    """Return the runs by seed and the labels of a hypothesis's cell; None if it is absent."""
    labels = methods.cell_of(list(cells))
    return None if labels is None else (cells[labels].set_index("seed").sort_index(), labels)
