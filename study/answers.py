"""What users ask, answered from the tables: a question, the numbers behind the answer, and the figure that shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from study.figures.style import Tables
from study.findings import number, p_text, percent
from study.tuning import strength_of

Row = dict[str, object]


@dataclass(frozen=True)
class Answer:
    """A question with how to read its rows, the figure beside them, and the rows; without rows there is no answer."""

    question: str
    reading: str
    figure: str
    rows: list[Row]


def answers(tables: Tables) -> list[Answer]:
    """The questions that these tables can answer, in order."""
    found = [one(tables) for one in QUESTIONS]
    return [answer for answer in found if answer.rows]


def which_threshold(tables: Tables) -> Answer:
    """The chosen threshold of `global_norm` in each tuned setting, against the gradient's norm without a clip."""
    rows = []
    for chosen in _chosen(tables, "clip", "global_norm"):
        free = _runs(tables, chosen["regime"], "none", "none")["norm_median"].median()
        threshold = strength_of(str(chosen["label"]))
        rate = _runs(tables, chosen["regime"], chosen["label"], "none")["clip_rate"].mean()
        rows.append(
            {
                "setting": chosen["setting"],
                "chosen": f"`{chosen['label']}`",
                "median norm unclipped": number(free),
                "threshold / median": number(threshold / free),
                "fires in": percent(rate),
                "regret (points)": number(100 * chosen["regret"]),
            }
        )
    return Answer(
        "Which threshold, does the norm of the unclipped gradient predict it, and how often should a clip fire?",
        "If one multiple of the unclipped median, or one firing rate, were right everywhere, settings would agree."
        " Where none was chosen there is no threshold to tell.",
        "firing",
        rows,
    )


def smaller_rate(tables: Tables) -> Answer:
    """Clipping at each learning rate against no clip at the best learning rate of the same sweep."""
    rows = []
    for (setting, kind), part in _tuned(tables).groupby(["setting", "kind"], sort=False):
        if kind != "clip" or part["regime"].nunique() + (part["regime"] != part["baseline_regime"]).sum() < 2:
            continue
        for row in part[part["metric"] == "test_accuracy"].to_dict("records"):
            rows.append(
                {
                    "setting": setting,
                    "tuned clip": f"`{row['label']}` in {row['regime']}",
                    "tuned none": row["baseline_regime"],
                    "test accuracy less none's (points)": _points(row),
                    "p": p_text(row["p_adjusted"]),
                }
            )
    return Answer(
        "Is clipping more than a smaller learning rate? Does any of it survive tuning the learning rate?",
        "Each clip and no clip at their own best learning rate, both chosen by validation loss: a clip that only made"
        " up for too large a rate has nothing left here.",
        "tuning_curves",
        rows,
    )


def effective_step(tables: Tables) -> Answer:
    """At each swept learning rate, the step a clip leaves, and no clip at the swept rate nearest to it."""
    swept = tables["regimes"].query("axis == 'optimizer.lr'").set_index("regime")["number"].astype(float)
    rows: list[Row] = []
    for name, rate in swept.items():
        regime = str(name)
        rates = swept[[_without_rate(str(other)) == _without_rate(regime) for other in swept.index]]
        for clip, left in _left(tables, regime).items():
            nearest = str((np.log(rates) - np.log(rate * left)).abs().idxmin())
            own, free = (_mean(tables, *at) for at in ((regime, clip), (nearest, "none")))
            if nearest != regime:
                row: Row = {"regime": regime, "clip": f"`{clip}`", "step left": f"{left:.2g}"}
                row |= {"equal rate without": f"{rates[nearest]:g}", "with": percent(own), "without": percent(free)}
                rows.append(row)
    return Answer(
        "What does a clip do that the same average step would not?",
        "The share of the step that the clip leaves of a gradient of median norm, and test accuracy with it beside that"
        " of no clip at the swept learning rate nearest to the product.",
        "sweeps",
        rows,
    )


def _without_rate(regime: str) -> str:
    """The name of a sweep's regime without its learning rate: equal for those that differ in nothing else."""
    return "_".join(part for part in regime.split("_") if not part.startswith("lr="))


def _left(tables: Tables, regime: str) -> dict[str, float]:
    runs = tables["runs"]
    part = runs[
        (runs["regime"] == regime) & runs["clip"].str.startswith("global_norm") & (runs["regularization"] == "none")
    ]
    shares = {}
    for clip, group in part.groupby("clip", sort=False):
        median = group["norm_median"].astype(float).replace(np.inf, np.nan).median()
        share = min(1.0, strength_of(str(clip)) / median) if median > 0 else np.nan
        if np.isfinite(share):
            shares[str(clip)] = float(share)
    return shares


def before_or_after(tables: Tables) -> Answer:
    """A penalty in the loss, clipped with the gradient, against the same as weight decay after the clip."""
    return Answer(
        "Clip before or after decay?",
        "`l2` is part of the gradient that is clipped; `weight_decay` adds the same term after the clip.",
        "heatmap",
        list(_pairs(tables, r"^l2\((.*)\)$", "weight_decay({0})")),
    )


def per_tensor(tables: Tables) -> Answer:
    """Clipping by the norm of each tensor against that of the whole gradient, both tuned."""
    wanted = ("global_norm", "layer_norm")
    part = _tuned(tables).query("metric == 'test_accuracy' and kind == 'clip' and method in @wanted")
    both = part.groupby("setting", sort=False).filter(lambda rows: len(rows) == len(wanted))
    return Answer(
        "Per tensor or global?",
        "Both tuned at equal budgets; differences to no clip, tuned likewise.",
        "tuning_curves",
        [
            {"setting": r["setting"], "tuned": f"`{r['label']}`", "test accuracy": percent(r["mean"]),
             "less none's (points)": _points(r), "p": p_text(r["p_adjusted"])}
            for r in both.to_dict("records")
        ],
    )  # fmt: skip


def l1_zeros(tables: Tables) -> Answer:
    """Zeros, small weights and test accuracy of L1 by subgradient and by proximal steps at equal strengths."""
    runs = tables["runs"]
    l1 = runs[(runs["clip"] == "none") & runs["regularization"].str.match(r"^l1(_proximal)?\([^+]*$")]
    columns = ["weight_zero", "weight_small", "test_accuracy"]
    means = l1.groupby(["regime", "regularization"], sort=False)[columns].mean()
    rows: list[Row] = [
        {
            "regime": row["regime"],
            "penalty": f"`{row['regularization']}`",
            "exactly zero": percent(row["weight_zero"]),
            "below .001": percent(row["weight_small"]),
            "test accuracy": percent(row["test_accuracy"]),
        }
        for row in means.reset_index().to_dict("records")
    ]
    return Answer(
        "L1 for zeros: subgradient or proximal?",
        "Means over seeds, without a clip. The subgradient steps over zero, the proximal step stops there.",
        "weights",
        rows,
    )


def dropout_with_l2(tables: Tables) -> Answer:
    """Dropout and L2, alone and together."""
    runs = tables["runs"]
    rows: list[Row] = []
    for regime, part in runs[runs["clip"] == "none"].groupby("regime", sort=False):
        both = [label for label in part["regularization"].unique() if re.match(r"^dropout\(.*\) \+ l2\(", label)]
        for label in both:
            for one in ("none", *label.split(" + "), label):
                rows.append({"regime": regime, "regularization": f"`{one}`", **_means(part, one)})
    return Answer("Dropout together with L2?", "Means over seeds, without a clip.", "heatmap", rows)


QUESTIONS: tuple[Callable[[Tables], Answer], ...] = (
    which_threshold,
    smaller_rate,
    effective_step,
    before_or_after,
    per_tensor,
    l1_zeros,
    dropout_with_l2,
)


def _chosen(tables: Tables, kind: str, method: str) -> Iterator[dict[str, Any]]:
    """The chosen candidates of a method that are no 'none'."""
    tuning = tables.get("tuning", pd.DataFrame(columns=["kind", "method", "chosen", "label"]))
    rows = tuning[
        (tuning["kind"] == kind) & (tuning["method"] == method) & tuning["chosen"] & (tuning["label"] != "none")
    ]
    yield from ({str(key): value for key, value in row.items()} for row in rows.to_dict("records"))


def _tuned(tables: Tables) -> pd.DataFrame:
    columns = ["setting", "kind", "method", "metric", "regime", "baseline_regime"]
    return tables.get("tuned", pd.DataFrame(columns=columns))


def _pairs(tables: Tables, pattern: str, partner: str) -> Iterator[Row]:
    """Regularizers that match the pattern beside the partner of the same parameters, under each clip."""
    runs = tables["runs"]
    for (regime, clip), part in runs.groupby(["regime", "clip"], sort=False):
        labels = part["regularization"].unique()
        for label in labels:
            if (found := re.match(pattern, label)) and (other := partner.format(*found.groups())) in labels:
                for one in (label, other):
                    yield {"regime": regime, "clip": f"`{clip}`", "penalty": f"`{one}`", **_means(part, one)}


def _means(part: pd.DataFrame, regularization: str) -> Row:
    row = part[part["regularization"] == regularization][["test_accuracy", "gap_accuracy"]].mean()
    return {"test accuracy": percent(row["test_accuracy"]), "accuracy gap": percent(row["gap_accuracy"])}


def _runs(tables: Tables, regime: object, clip: object, regularization: object) -> pd.DataFrame:
    runs = tables["runs"]
    return runs[(runs["regime"] == regime) & (runs["clip"] == clip) & (runs["regularization"] == regularization)]


def _mean(tables: Tables, regime: str, clip: str) -> float:
    return float(_runs(tables, regime, clip, "none")["test_accuracy"].mean())


def _points(row: Mapping[Hashable, Any]) -> str:
    estimate, low, high = (100 * float(row[key]) for key in ("estimate", "low", "high"))
    return f"{number(estimate, sign=True)} [{number(low)}, {number(high)}]"
