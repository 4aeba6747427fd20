"""How to choose a strength: by which rule, at what cost and regret, and by loss or by accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from study.analysis.selection import CHOOSERS
from study.figures._style import Tables
from study.methods.labels import strength_of
from study.report.format import number, several
from study.report.questions.base import KINDS, SHOWN_BY_LOSS, Answer, Row, capital, count, listed, place, run_of
from study.report.questions.differences import Both, Found, compared

Selector = Callable[[pd.DataFrame], int]
VALIDATION, STANDARD_ERROR, TRAINING = "smallest validation loss", "one standard error", "smallest training loss"
ACCURACY = "largest validation accuracy"


def _by_rule(rule: str) -> Selector:
    def select(grid: pd.DataFrame) -> int:
        losses, errors = (grid[name].to_numpy(float) for name in ("validation_loss", "validation_se"))
        return CHOOSERS[rule](losses, errors, list(grid["regime"]))

    return select


SELECTORS: dict[str, Selector] = {
    VALIDATION: _by_rule("minimum"),
    STANDARD_ERROR: _by_rule("one_standard_error"),
    ACCURACY: lambda grid: int(grid["validation_accuracy"].astype(float).fillna(-np.inf).argmax()),
    TRAINING: lambda grid: int(grid["train_loss"].to_numpy(float).argmin()),
}


def selected(runs: pd.DataFrame, labels: Sequence[str], column: str) -> str:
    """The regularization of the best mean in a validation column, accuracy or loss; nothing where none is defined."""
    means = runs[runs["regularization"].isin(labels)].groupby("regularization", sort=False)[column].mean().dropna()
    if means.empty:
        return ""
    return str(means.idxmax() if column.endswith("accuracy") else means.idxmin())


def grids(tables: Tables) -> Iterator[tuple[str, pd.DataFrame]]:
    """The candidates of every tuned method, "none" among them, with the setting's name in prose."""
    tuning = tables.get("tuning", pd.DataFrame(columns=["setting", "kind", "method"]))
    for (setting, _, method), grid in tuning.groupby(["setting", "kind", "method"], sort=False):
        if method != "none" and len(grid) > 1:
            yield f"`{method}` in {place(tables, setting)}", grid.reset_index(drop=True)


def choose_strength(tables: Tables) -> Answer:
    """What each rule of choice would have lost on the test set against the best candidate, and what it costs."""
    found = dict(grids(tables))
    picks = {name: pd.DataFrame([grid.iloc[select(grid)] for grid in found.values()])
             for name, select in SELECTORS.items()} if found else {}  # fmt: skip
    rows: list[Row] = [{"rule": name, "over": f"all {len(own)}", **_regrets(own)} for name, own in picks.items()]
    if found:
        random = "no choice: a candidate other than none at random"
        rows.append({"rule": random, "over": f"all {len(found)}", **_regrets(_at_random(found))})
        rows += [{"rule": rule, "over": over, **_regrets(own)}
                 for over in _parts(picks[VALIDATION]) for rule in (VALIDATION, ACCURACY)
                 if len(own := _parts(picks[rule])[over])]  # fmt: skip
    return Answer(
        "How do I choose λ?",
        _choice_short(picks),
        _choice_words(found, picks),
        "Regret: what the rule's candidate loses on the test set against the best candidate there, which no one knows"
        " beforehand and which is a little too good, being the best of several. Means over tuned methods, without"
        " intervals, since methods of one setting share their data. Undefined regrets, of candidates that fail, are"
        " left out of a mean. Over: all tuned methods, the clips, the regularizers, and each method that was tuned in"
        " several settings.",
        ("tuning_curves",),
        rows,
    )


def _parts(picks: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The picks by kind, where there are both, and by method, where it was tuned in several settings."""
    kinds = {count(len(own), KINDS[str(kind)]): own for kind, own in picks.groupby("kind", sort=False)}
    methods = {f"`{method}`, {count(len(own), 'setting')}": own for method, own in picks.groupby("method", sort=False)}
    return (kinds if len(kinds) > 1 else {}) | {name: own for name, own in methods.items() if 1 < len(own) < len(picks)}


def _regrets(own: pd.DataFrame) -> Row:
    points, nats = 100 * own["regret"].astype(float), own["regret_loss"].astype(float)
    return {
        "mean regret (points)": number(points.mean()),
        "largest (points)": number(points.max()),
        "mean regret (nats)": number(nats.mean()),
        "largest (nats)": number(nats.max()),
        "undefined": int(points.isna().sum()),
    }


def _at_random(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    means = [
        grid.loc[grid["label"] != "none", ["regret", "regret_loss"]].astype(float).mean() for grid in found.values()
    ]
    return pd.DataFrame(means)


def _choice_short(picks: dict[str, pd.DataFrame]) -> str:
    if not picks:
        return ""
    lost = {name: own[["regret", "regret_loss"]].astype(float).mean() * [100, 1] for name, own in picks.items()}
    texts = {name: f"{number(own.iloc[0])} points and {number(own.iloc[1])} nats" for name, own in lost.items()}
    told = f"{_advice(lost)} Mean regret {texts[VALIDATION]} by validation loss"
    told += f", {texts[ACCURACY]} by validation accuracy, {texts[TRAINING]} by training loss"
    return f"{told}. The rule of one standard error loses {texts[STANDARD_ERROR]}{_trade(lost)}.{_taken(picks)}"


def _taken(picks: dict[str, pd.DataFrame]) -> str:
    """The strengths of each regularizer that the two choices took, as a place to start from."""
    both = pd.concat([picks[VALIDATION], picks[ACCURACY]])
    both = both[(both["kind"] == "regularization") & (both["label"] != "none")]
    parts = []
    for method, own in both.groupby("method", sort=False):
        taken = sorted({strength_of(str(label)) for label in own["label"]})
        where = count(own["setting"].nunique(), "setting")
        parts.append(f"`{method}` {' to '.join(dict.fromkeys([f'{taken[0]:g}', f'{taken[-1]:g}']))} in {where}")
    return f" Chosen here by the one or the other, as places to start from: {'; '.join(parts)}." if parts else ""


def _advice(lost: dict[str, pd.Series]) -> str:
    """What the mean regrets, in accuracy and in loss, bear out."""
    loss, accuracy, training = lost[VALIDATION], lost[ACCURACY], lost[TRAINING]
    better = accuracy < loss
    if better.iloc[0] and loss.iloc[1] < accuracy.iloc[1]:
        advice = "For the loss choose by validation loss, for the accuracy by validation accuracy"
    elif better.any() and not (loss < accuracy).any():
        advice = "By validation accuracy"
    elif (loss < accuracy).any() and not better.any():
        advice = "By validation loss"
    else:
        advice = "By validation loss or validation accuracy, which choose about as well here"
    if (np.minimum(loss, accuracy) < training).all():
        return f"{advice}; not by the training loss."
    return f"{advice}; the training loss chose no worse here by one measure at least."


def _trade(lost: dict[str, pd.Series]) -> str:
    less = lost[STANDARD_ERROR] < lost[VALIDATION]
    more = lost[STANDARD_ERROR] > lost[VALIDATION]
    if not less.any() and not more.any():
        return ", as much as the smallest validation loss"
    parts = [f"{word} {listed([name for name, so in zip(('accuracy', 'loss'), which, strict=True) if so])}"
             for word, which in (("less in", less), ("more in", more)) if which.any()]  # fmt: skip
    return f", {listed(parts)} than the smallest validation loss"


def _choice_words(found: dict[str, pd.DataFrame], picks: dict[str, pd.DataFrame]) -> str:
    if not found:
        return ""
    sizes = [float(_strengths(grid)) for grid in found.values()]
    costs = [float(grid["n"].sum()) for grid in found.values()]
    taken = {name: grid[grid["chosen"].astype(bool)].iloc[0] for name, grid in found.items()}
    ends = {name: str(row["edge"]) for name, row in taken.items() if isinstance(row["edge"], str) and row["edge"]}
    alone = [name for name, edge in ends.items() if "no grid" in edge]
    ends = {name: edge for name, edge in ends.items() if name not in alone}
    edges = [f"{name} ({edge})" for name, edge in ends.items()]
    small = sum("strength" in edge and _strengths(found[name]) == 2 for name, edge in ends.items())
    none = sum(row["label"] == "none" for row in taken.values())
    alike = int((picks[VALIDATION].index == picks[STANDARD_ERROR].index).sum())
    gain = picks[TRAINING]["regret"].to_numpy(float) - picks[VALIDATION]["regret"].to_numpy(float)
    won, lost = int((gain > 0).sum()), int((gain < 0).sum())
    words = (
        f"{count(len(found), 'method was', 'methods were')} tuned (counted once a setting), with {_whole(sizes)}"
        f" strengths each and none; a choice took {_whole(costs)} trainings. None was chosen for {none}. The smallest"
        f" validation loss and the rule of one standard error agree for {alike}. By test accuracy the smallest"
        f" validation loss chose better than the smallest training loss for {won}, worse for {lost}."
    )
    if alone:
        words += f" {count(len(alone), 'choice has', 'choices have')} no grid, but one strength: {several(alone)}."
    if not edges:
        return f"{words} No choice lies at an end of its grid."
    many = "all of them" if small == len(edges) else f"{small} of them"
    of = "a grid of two" if len(edges) == 1 else f"{many} of grids of two"
    two = f", {of}, where every strength does" if small else ""
    return (
        f"{words} {count(len(edges), 'choice lies', 'choices lie')} at an end of the grid{two}; a wider grid might hold"
        f" better: {several(edges)}."
    )


def _strengths(grid: pd.DataFrame) -> int:
    return len(set(grid["label"]) - {"none"})


def _whole(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


SELECTED = {
    "better": "the choice by accuracy does better",
    "some better": "the choice by accuracy does better in some and in none worse",
    "same": "no difference that matters",
    "open": "no difference was shown",
    "undecided": "undecided",
    "some worse": "the choice by loss does better in some and in none worse",
    "worse": "the choice by loss does better",
    "mixed": "now the one, now the other does better",
    "nothing": "nothing to compare",
}


def loss_or_accuracy(tables: Tables) -> Answer:
    """The candidate of the best validation accuracy against that of the smallest validation loss, on the same runs."""
    both, alike = Both(), 0
    rows: list[Row] = []
    for name, grid in grids(tables):
        loss, accuracy = (SELECTORS[rule](grid) for rule in (VALIDATION, ACCURACY))
        alike += int(loss == accuracy)
        differences = both.add(name, run_of(tables, grid.iloc[accuracy]), run_of(tables, grid.iloc[loss]))
        if loss != accuracy:
            picked = {key: _candidate(tables, grid, at) for key, at in (("by accuracy", accuracy), ("by loss", loss))}
            rows.append({"method": name, **picked, **differences})
    tried = len(both.accuracy)
    return Answer(
        "Loss or accuracy as the selector?",
        _selector_short(both) if rows else "",
        f"Of {count(tried, 'tuned method')}, both choose the same for {alike}. Where they differ, the choice by"
        f" validation accuracy against that by validation loss. {both.tallies}",
        "Both chosen by the means of the tuning's runs, and held against each other on the test digits: by accuracy"
        f" less by loss. {SHOWN_BY_LOSS}",
        ("tuning_curves",),
        rows,
    )


def _selector_short(both: Both) -> str:
    accuracy, loss = both.conclusions
    if accuracy in ("better", "some better") and loss in ("worse", "some worse"):
        return "By what counts in the end: choosing by accuracy gains accuracy, choosing by loss gains loss."
    if {accuracy, loss} <= {"better", "some better"}:
        return "By accuracy: it did better by both measures, or as well."
    if {accuracy, loss} <= {"worse", "some worse"}:
        return "By loss: it did better by both measures, or as well."
    return f"{capital(both.lead(SELECTED))} The choice by accuracy is {_better(both.accuracy)} by test accuracy" + (
        f" and {_better(both.loss)} by test loss."
    )


def _better(found: Found) -> str:
    """`better in 18 and worse in 1 of 20 cases`."""
    better, worse = (sum(one.verdict == word for _, one in found) for word in ("better", "worse"))
    return f"better in {better} and worse in {worse} of {count(len(compared(found)), 'case')}"


def _candidate(tables: Tables, grid: pd.DataFrame, at: int) -> str:
    row = grid.iloc[at]
    where = f" in {place(tables, row['regime'])}" if len(set(grid["regime"])) > 1 else ""
    return f"`{row['label']}`{where}"
