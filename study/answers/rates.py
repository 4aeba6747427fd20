"""Clipping, regularizers and the learning rate: what is left when the rate is tuned, or the step made equal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from study.answers.base import Answer, Difference, Row, cell, chosen, run_of, sides
from study.figures.style import Tables
from study.findings import percent
from study.tuning import strength_of


def smaller_rate(tables: Tables) -> Answer:
    """Clipped nets beside unclipped ones at the swept learning rate that makes their steps equal."""
    swept = tables["regimes"].query("axis == 'optimizer.lr'").set_index("regime")["number"].astype(float)
    rows: list[Row] = []
    found: list[tuple[str, Difference]] = []
    for name, rate in swept.items():
        regime = str(name)
        rates = swept[[_without_rate(str(other)) == _without_rate(regime) for other in swept.index]]
        for clip, left in _left(tables, regime).items():
            nearest = str((np.log(rates) - np.log(rate * left)).abs().idxmin())
            own, free = cell(tables, regime, clip), cell(tables, nearest)
            difference = Difference.between(own, free)
            if nearest == regime or not difference.pairs:
                continue
            found.append((f"`{clip}` in {regime}", difference))
            rows.append(
                {
                    "regime": regime,
                    "clip": f"`{clip}`",
                    "step left": f"{left:.2g}",
                    "equal rate without": f"{rates[nearest]:g}",
                    "with": percent(own["test_accuracy"].mean()),
                    "without": percent(free["test_accuracy"].mean()),
                    "difference (points)": difference.text,
                }
            )
    return Answer(
        "Is clipping more than a smaller learning rate?",
        _equal_words(found),
        "A clip that fires leaves of a gradient of median norm the share named as the step left (its coefficient);"
        " beside it stands no clip at the swept learning rate nearest to rate times coefficient.",
        "sweeps",
        rows,
    )


def _equal_words(found: list[tuple[str, Difference]]) -> str:
    if not found:
        return ""
    counts = [one.verdict for _, one in found]
    higher, lower = counts.count("higher"), counts.count("lower")
    words = f"Test accuracy of clips, against no clip at an equal step: {'; '.join(sides(found))}."
    if higher > len(found) / 2:
        return f"Yes, mostly. {words}"
    if higher == 0:
        return f"Not here: no clip did better than its equal step. {words}"
    return f"Sometimes: {higher} did better than their equal step and {lower} worse. {words}"


def _without_rate(regime: str) -> str:
    """The name of a sweep's regime without its learning rate: equal for those that differ in nothing else."""
    return "_".join(part for part in regime.split("_") if not part.startswith("lr="))


def _left(tables: Tables, regime: str) -> dict[str, float]:
    """The share of a median gradient that each clip by the global norm leaves."""
    runs = tables["runs"]
    own = (runs["regime"] == regime) & (runs["regularization"] == "none")
    shares = {}
    for clip, group in runs[own & runs["clip"].str.startswith("global_norm")].groupby("clip", sort=False):
        median = group["norm_median"].astype(float).replace(np.inf, np.nan).median()
        share = min(1.0, strength_of(str(clip)) / median) if median > 0 else np.nan
        if np.isfinite(share):
            shares[str(clip)] = float(share)
    return shares


def survives(tables: Tables) -> Answer:
    """Each method against none where the learning rate was tuned for both, with what it gained where it was not."""
    choices = chosen(tables)
    tuned = choices[(choices["rates"] > 1) & (choices["method"] != "none")]
    fixed = choices[(choices["rates"] == 1) & (choices["method"] != "none")]
    rows: list[Row] = []
    found: list[tuple[str, Difference]] = []
    for _, row in tuned.iterrows():
        none = _none_of(choices, row)
        difference = Difference.between(run_of(tables, row), run_of(tables, none))
        found.append((f"`{row['method']}` in {row['setting']}", difference))
        rows.append(
            {
                "setting": row["setting"],
                "tuned": f"`{row['label']}` in {row['regime']}",
                "tuned none": none["regime"],
                "gain (points)": difference.text,
                "gain at a fixed rate elsewhere (points)": _elsewhere(tables, choices, fixed, str(row["method"])),
            }
        )
    return Answer(
        "Does any of it survive tuning the learning rate?",
        _survival_words(found),
        "Each method and none at their own best learning rate, both chosen by validation loss: a method that only made"
        " up for a rate too large has nothing left here. Last column: its gain in settings where the rate was given.",
        "tuning_curves",
        rows,
    )


def _none_of(choices: pd.DataFrame, row: pd.Series) -> pd.Series:
    same = (choices["setting"] == row["setting"]) & (choices["kind"] == row["kind"]) & (choices["method"] == "none")
    return choices[same].iloc[0]


def _elsewhere(tables: Tables, choices: pd.DataFrame, fixed: pd.DataFrame, method: str) -> str:
    gains = [
        f"{row['setting']}: {Difference.between(run_of(tables, row), run_of(tables, _none_of(choices, row))).text}"
        for _, row in fixed[fixed["method"] == method].iterrows()
    ]
    return "; ".join(gains[:2]) or "–"


def _survival_words(found: list[tuple[str, Difference]]) -> str:
    if not found:
        return ""
    kept = [name for name, one in found if one.verdict == "higher"]
    start = "Yes" if len(kept) == len(found) else "Some of it" if kept else "None of what was tried"
    return f"{start}. At their own best learning rates, test accuracy against none: {'; '.join(sides(found))}."
