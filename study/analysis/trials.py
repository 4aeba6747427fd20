"""Results of trials: the one that each method takes, and whether it lies at an edge of its range."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from study.config.study import Study
from study.config.trials import LR, range_of
from study.config.variants import Variant, expand_trials, trials
from study.methods.base import Method
from study.results.trial_choice import best, metric_of, score, scored

TRIALS = (
    "study", "regime", "clip_method", "regularization_method", "trial", "clip", "regularization", "lr", "strengths",
    "n", "diverged", "validation_loss", "validation_accuracy", "best_validation_loss", "best_validation_accuracy",
    "test_loss", "test_accuracy", "best_test_loss", "best_test_accuracy", "metric", "score", "chosen",
    "chosen_by_accuracy", "edge",
)  # fmt: skip
"""The columns of `trials`: a row for each trial of each method, its scores means over tuning seeds and folds.

lr, strengths: what was tried, the latter as `name value` joined by "; ". n, diverged: runs, and those that did not end
well. score: the metric that chooses, the greater the better, -inf where a run has none; chosen: the first of the
greatest; chosen_by_accuracy: the same by best_validation_accuracy. edge: of the chosen trial, what lies at an end of
its range.
"""
EDGE = 0.1  # of a logarithmic range, at each end: an optimum there may lie beyond it


def trial_table(trial_runs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return every trial of every method with its mean scores, and which is chosen; columns `TRIALS`.

    Raises TableError if a trial has no runs.
    """
    rows = [row for variant in expand_trials(study) for row in _rows(variant, trial_runs, study.name)]
    return pd.DataFrame(rows, columns=list(TRIALS))


def _rows(variant: Variant, trial_runs: pd.DataFrame, study: str) -> Iterator[dict[str, object]]:
    metric = metric_of(variant)
    tried = trials(variant)
    found = [scored(one, trial_runs) for one in tried]
    scores = [score(one, metric) for one in found]
    first = best(scores)
    by_accuracy = best([score(one, "best_validation_accuracy") for one in found])
    for index, (one, means) in enumerate(zip(tried, found, strict=True)):
        yield {
            "study": study,
            "regime": variant.regime,
            "clip_method": variant.clip.name,
            "regularization_method": " + ".join(part.name for part in variant.regularization),
            "trial": index,
            "clip": one.clip_label,
            "regularization": one.regularization_label,
            "lr": one.optimizer.lr,
            "strengths": "; ".join(f"{part.name} {value:g}" for part, value in strengths(one)),
            **means,
            "metric": metric,
            "score": scores[index],
            "chosen": index == first,
            "chosen_by_accuracy": index == by_accuracy,
            "edge": edges(variant, one) if index == first else "",
        }


def strengths(one: Variant) -> list[tuple[Method, float]]:
    """Return the methods of a trial that have a strength, each with its value."""
    parts = (one.clip, *one.regularization)
    return [(part, float(getattr(part, part.search.parameter))) for part in parts if part.search]


def edges(variant: Variant, one: Variant) -> str:
    """Return which parameters lie in the outer tenth of their range: "lr: high end of [0.001, 3]; .."; "" if none."""
    tuning = variant.tuned
    assert tuning is not None  # such are the variants that have trials
    found = []
    for name, part, value in [(LR, one.optimizer, one.optimizer.lr), *((p.name, p, v) for p, v in strengths(one))]:
        if (span := range_of(part, tuning)) and not EDGE <= (place := span.place(value)) <= 1 - EDGE:
            found.append(f"{name}: {'low' if place < EDGE else 'high'} end of [{span.low:g}, {span.high:g}]")
    return "; ".join(found)


def wider(table: pd.DataFrame) -> list[str]:
    """Return a sentence for each method whose chosen trial lies at an edge: the range that `widened` could replace."""
    rows = table[table["chosen"] & (table["edge"] != "")]
    return [
        f"{row['regime']}: the best of {row['trials']} trials of {_cell(row)} lies at an edge ({row['edge']}); "
        "'widened' of its tuning takes a wider range."
        for row in rows.assign(trials=_budget(table)).to_dict("records")
    ]


def _budget(table: pd.DataFrame) -> int:
    return int(table["trial"].max()) + 1 if len(table) else 0


def _cell(row: Mapping[Hashable, Any]) -> str:
    names = [str(row[key]) for key in ("clip_method", "regularization_method") if row[key] != "none"]
    return " + ".join(names) or "the baseline"
