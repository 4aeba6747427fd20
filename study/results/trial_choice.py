"""Choice of a trial: the scores of a method's trials, and the variant at what the best of them had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from study.config.variants import RunSpec, Variant, scored_only, trial, trials
from study.optim.metrics import higher_is_better
from study.results.cells import failed
from study.results.store import TableError

SCORES = (
    "validation_loss", "validation_accuracy", "best_validation_loss", "best_validation_accuracy", "test_loss",
    "test_accuracy", "best_test_loss", "best_test_accuracy",
)  # fmt: skip
"""The scores of a trial."""


def chosen_variant(variant: Variant, trial_runs: pd.DataFrame) -> Variant:
    """The variant at the learning rate and the strengths that its trials choose.

    Raises TableError where a trial has no runs.
    """
    tried = trials(scored_only(variant))
    scores = [score(scored(one, trial_runs), metric_of(variant)) for one in tried]
    return trial(variant, best(scores))


def metric_of(variant: Variant) -> str:
    """The metric that chooses among the trials of a variant."""
    assert variant.tuned is not None  # such are the variants that have trials
    return variant.tuned.metric


def best(scores: Sequence[float]) -> int:
    """The first trial of the greatest score."""
    return int(np.argmax(np.asarray(scores)))


def scored(one: Variant, trial_runs: pd.DataFrame) -> dict[str, float]:
    """Mean scores of a trial over its runs, NaN where a run has none; n and diverged count them.

    Raises TableError where there is none.
    """
    runs = trial_runs[trial_runs["digest"].isin(_digests(one, trial_runs))]
    if runs.empty:
        cell = f"{one.regime}: {one.clip_label} with {one.regularization_label} at lr {one.optimizer.lr:g}"
        raise TableError(
            f"The trials must have runs of '{cell}'. Got none. Delete them and run the same command again."
        )
    own = [f"{when}validation_{metric.name}" for metric in one.metrics for when in ("", "best_")]
    columns = (*SCORES, *(column for column in ("train_loss", *own) if column in runs))
    means = {key: float(runs[key].mean(skipna=False)) for key in columns}
    return {"n": len(runs), "diverged": int(failed(runs).sum()), **means}


def _digests(one: Variant, runs: pd.DataFrame) -> list[str]:
    each = runs[["seed", "fold"]].drop_duplicates().itertuples(index=False)
    return [RunSpec(one, int(seed), None if pd.isna(fold) else int(fold)).digest for seed, fold in each]


def score(scores: Mapping[str, float], metric: str) -> float:
    value = scores[metric] if higher_is_better(metric) else -scores[metric]
    return value if np.isfinite(value) else -np.inf
